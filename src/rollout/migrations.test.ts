import { rm } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  deployment,
  deployOf,
  deployWorld,
  NAMESPACE,
  namespaceObject,
} from '../../tests/fakes/application.ts'
import { answer, type FakeCluster, fakeCluster } from '../../tests/fakes/cluster.ts'
import type { FakeWorld } from '../../tests/fakes/world.ts'
import { readState } from '../cluster/state.ts'
import type { KubeObject } from '../render/manifest.ts'
import { deploy } from './deploy.ts'

let cluster: FakeCluster
let world: FakeWorld
beforeEach(async () => {
  cluster = fakeCluster()
  world = await deployWorld()
})
afterEach(async () => {
  await rm(world.workspace, { recursive: true })
})

function migration(name: string, annotations: Readonly<Record<string, string>> = {}): KubeObject {
  const metadata = { name, namespace: NAMESPACE, annotations }
  const image = `ghcr.io/todo/database@sha256:${'b'.repeat(64)}`
  const template = { spec: { containers: [{ name: 'main', image }] } }
  return { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { template } }
}

/** Jobs get a pod of theirs that has said this. */
function jobsSay(log: string): void {
  cluster.intercept = ({ path }) => {
    if (path.includes('labelSelector=batch'))
      return answer(200, { items: [{ metadata: { name: 'migrate-pod' } }] })
    return path.includes('migrate-pod/log') ? answer(200, log) : undefined
  }
}

const one = [namespaceObject, deployment('web')]
const broken = [namespaceObject, deployment('web', 'broken'), migration('migrate')]

describe('a migration that takes something away', () => {
  it('closes the way back, which is said with its name', async () => {
    await deploy(deployOf('r1', one), cluster, world)
    jobsSay('migrate: applying V003__drop.sql\nmigrate: applied V003__drop.sql (contract)\n')
    const result = await deploy(deployOf('r2', broken), cluster, world)
    expect(result.outcome).toBe('failed')
    expect(result.message).toContain(
      'There is no way back to r1: V003__drop.sql took something away',
    )
    expect((await readState(NAMESPACE, cluster))?.good?.release).toBe('r1')
  })

  it('keeps older releases from coming back afterwards, and lets newer ones in', async () => {
    await deploy(deployOf('r1', one), cluster, world)
    jobsSay('migrate: applied V003__drop.sql (contract)\n')
    const two = [namespaceObject, deployment('web', 'better'), migration('migrate')]
    expect((await deploy(deployOf('r2', two), cluster, world)).outcome).toBe('deployed')
    cluster.writes.length = 0
    await expect(deploy(deployOf('r1', one), cluster, world)).rejects.toThrow(
      "r1 can't come back: V003__drop.sql took something away that it still uses",
    )
    expect(cluster.writes).toEqual([])
    expect((await deploy(deployOf('r3', two), cluster, world)).outcome).toBe('deployed')
  })

  it('is known by the mark of its Job where it does not say anything', async () => {
    const marked = migration('migrate', { 'todo-deploy.dev/phase': 'contract' })
    cluster.intercept = ({ method, path }) =>
      method === 'GET' && path.includes('/jobs/migrate')
        ? withStart(cluster.objects.get(path))
        : undefined
    await deploy(deployOf('r1', one), cluster, world)
    const objects = [namespaceObject, deployment('web', 'broken'), marked]
    expect((await deploy(deployOf('r2', objects), cluster, world)).outcome).toBe('failed')
  })
})

describe('a migration that only adds', () => {
  it('leaves the way back open', async () => {
    await deploy(deployOf('r1', one), cluster, world)
    jobsSay('migrate: applying V003__add.sql\n')
    const result = await deploy(deployOf('r2', broken), cluster, world)
    expect(result.outcome).toBe('rolled-back')
    expect(result.message).toContain('todo is back at r1')
  })
})

function withStart(job: KubeObject | undefined) {
  if (job === undefined) return undefined
  const status = { ...(job['status'] as object), startTime: '2026-11-21T12:00:00Z' }
  return answer(200, { ...job, status })
}
