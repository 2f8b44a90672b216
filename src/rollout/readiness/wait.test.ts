import { rm } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  deployment,
  deployOf,
  deployWorld,
  namespaceObject,
} from '../../../tests/fakes/application.ts'
import { type FakeCluster, fakeCluster } from '../../../tests/fakes/cluster.ts'
import type { FakeWorld } from '../../../tests/fakes/world.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { deploy } from '../deploy.ts'

const LAG_MS = 150
const release = (how: 'good' | 'better' | 'broken') =>
  deployOf(how, [namespaceObject, deployment('web', how)])

let fake: FakeCluster
let world: FakeWorld
beforeEach(async () => {
  fake = fakeCluster()
  world = await deployWorld()
})
afterEach(async () => {
  await rm(world.workspace, { recursive: true })
})

/** A server under load: its lists are true, its watches tell of a change a moment later. */
function lagging(): Cluster {
  return {
    ...fake,
    stream: (path, onLine, signal) =>
      fake.stream(path, (line) => setTimeout(onLine, LAG_MS, line), signal),
  }
}

describe('a watch that lags behind', () => {
  beforeEach(async () => {
    await deploy(release('good'), fake, world)
  })

  it('does not let a release pass by the readiness of the one before it', async () => {
    const { outcome } = await deploy(release('broken'), lagging(), world)
    expect(outcome).toBe('rolled-back')
  })

  it('does not end a good release by the failure of the one before it', async () => {
    await deploy({ ...release('broken'), onFailure: 'keep' }, fake, world)
    const { outcome } = await deploy(release('better'), lagging(), world)
    expect(outcome).toBe('deployed')
  })
})
