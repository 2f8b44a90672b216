import { rm } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  deployment,
  deployOf,
  deployWorld,
  NAMESPACE,
  namespaceObject,
} from '../../tests/fakes/application.ts'
import { type FakeCluster, fakeCluster } from '../../tests/fakes/cluster.ts'
import { hurry } from '../../tests/fakes/time.ts'
import { fakeClock, type FakeWorld } from '../../tests/fakes/world.ts'
import { at } from '../json.ts'
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

const secrets = `/api/v1/namespaces/${NAMESPACE}/secrets`

/** As kustomize generates it: the name carries a hash of the values. */
function generated(hash: string): KubeObject {
  const metadata = { name: `todo-secrets-${hash}`, namespace: NAMESPACE }
  return { apiVersion: 'v1', kind: 'Secret', metadata, data: { VALUE: `b2Yg${hash}` } }
}

function names(): string[] {
  return [...cluster.objects.keys()]
    .filter((path) => path.startsWith(`${secrets}/todo-secrets`))
    .map((path) => path.slice(secrets.length + 1))
}

describe('a generated Secret with another value', () => {
  const before = [namespaceObject, generated('old'), deployment('web')]

  it('replaces the one before it as soon as the new release is good', async () => {
    await deploy(deployOf('r1', before), cluster, world)
    const after = [namespaceObject, generated('new'), deployment('web', 'better')]
    await deploy(deployOf('r2', after), cluster, world)
    expect(names()).toEqual(['todo-secrets-new'])
  })

  it('is removed where the new release fails, and the one before it is as it was', async () => {
    await deploy(deployOf('r1', before), cluster, world)
    const old = cluster.objects.get(`${secrets}/todo-secrets-old`)
    const after = [namespaceObject, generated('new'), deployment('web', 'broken')]
    const { outcome } = await deploy(deployOf('r2', after), cluster, world)
    expect(outcome).toBe('rolled-back')
    expect(names()).toEqual(['todo-secrets-old'])
    const kept = cluster.objects.get(`${secrets}/todo-secrets-old`)
    expect(kept?.metadata['uid']).toBe(old?.metadata['uid'])
  })

  it('is made again by the way back where somebody has removed it', async () => {
    await deploy(deployOf('r1', before), cluster, world)
    cluster.objects.delete(`${secrets}/todo-secrets-old`)
    const after = [namespaceObject, generated('new'), deployment('web', 'broken')]
    await deploy(deployOf('r2', after), cluster, world)
    expect(at(cluster.objects.get(`${secrets}/todo-secrets-old`), 'data')).toEqual({
      VALUE: 'b2Ygold',
    })
  })
})

describe('a Secret that an operator makes', () => {
  /** With the status that the operator would give it. */
  const externalSecret = (status: object): KubeObject => ({
    ...{ apiVersion: 'external-secrets.io/v1', kind: 'ExternalSecret', status },
    metadata: { name: 'todo-secrets', namespace: NAMESPACE },
  })
  const ready = (status: 'True' | 'False', reason: string) => ({
    conditions: [{ type: 'Ready', status, reason, message: 'could not get secret data' }],
  })

  it('is there before the workloads are written', async () => {
    const synced = { ...ready('True', 'SecretSynced'), syncedResourceVersion: '1-a' }
    const objects = [namespaceObject, deployment('web'), externalSecret(synced)]
    const { outcome } = await deploy(deployOf('r1', objects), cluster, world)
    expect(outcome).toBe('deployed')
    const written = cluster.writes.filter((write) => /web|externalsecrets/.test(write))
    expect(written.map((write) => write.split('/').at(-1))).toEqual(['todo-secrets', 'web'])
  })

  it('ends a deploy soon where the store refuses it, with its words, before any workload', async () => {
    const event = {
      ...{ apiVersion: 'v1', kind: 'Event', metadata: { name: '1' } },
      ...{ reason: 'UpdateFailed', message: 'Code: 403. Errors:\n\n* permission denied' },
    }
    cluster = fakeCluster({ [`/api/v1/namespaces/${NAMESPACE}/events/1`]: event })
    const { clock, passed } = tickingClock()
    const objects = [
      namespaceObject,
      deployment('web'),
      externalSecret(ready('False', 'SecretSyncedError')),
    ]
    const result = await hurry(() =>
      deploy(deployOf('r1', objects, { timeoutSeconds: 600 }), cluster, { ...world, clock }),
    )
    expect(result.outcome).toBe('rolled-back')
    expect(result.failure?.rolloutCause?.code).toBe('secret-store-failed')
    expect(result.message).toMatch(
      /ExternalSecret todo\/todo-secrets will not become ready: .*SecretSyncedError.*UpdateFailed: Code: 403. Errors: \* permission denied/,
    )
    expect(cluster.writes.join()).not.toContain('deployments')
    expect(passed()).toBeLessThan(60)
  })
})

/** A second passes with each look at it. */
function tickingClock(): { clock: FakeWorld['clock']; passed: () => number } {
  const still = fakeClock()
  const began = still.now().getTime()
  let looks = 0
  return {
    clock: { ...still, now: () => new Date(began + (looks += 1) * 1000) },
    passed: () => looks,
  }
}
