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
import type { FakeWorld } from '../../tests/fakes/world.ts'
import { textAt } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'
import { deploy } from './deploy.ts'
import { refreshFromStores, SECRETS_AT } from './rotation.ts'

/** Every pod of the fake cluster is made at 12:00:00. */
const EARLIER = '2026-11-21T11:59:00Z'
const LATER = '2026-11-21T12:30:00Z'
const secretPath = `/api/v1/namespaces/${NAMESPACE}/secrets/todo-secrets`
const webPath = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/web`

let cluster: FakeCluster
let world: FakeWorld
beforeEach(async () => {
  cluster = fakeCluster()
  world = await deployWorld()
})
afterEach(async () => {
  await rm(world.workspace, { recursive: true })
})

/** From outside of the release; its data was changed at `time`, its labels later. */
function provide(time: string): void {
  cluster.objects.set(secretPath, {
    ...{ apiVersion: 'v1', kind: 'Secret', data: { KEY: 'dmFsdWU=' } },
    metadata: {
      name: 'todo-secrets',
      namespace: NAMESPACE,
      managedFields: [
        { time, fieldsV1: { 'f:data': {} } },
        { time: '2026-11-21T13:00:00Z', fieldsV1: { 'f:metadata': {} } },
      ],
    },
  })
}

function reading(name: string, how: 'good' | 'broken' = 'good'): KubeObject {
  const object = deployment(name, how)
  const { template } = object['spec'] as { template: { metadata: object; spec: object } }
  const volumes = [{ name: 'secrets', secret: { secretName: 'todo-secrets' } }]
  const selector = { matchLabels: { app: name } }
  const spec = { selector, template: { ...template, spec: { ...template.spec, volumes } } }
  return { ...object, spec }
}

function timeOfWeb(): string | undefined {
  const live = cluster.objects.get(webPath)
  return textAt(live, 'spec', 'template', 'metadata', 'annotations', SECRETS_AT)
}

const application = [namespaceObject, reading('web')]
const again = () => deploy(deployOf('r1', application), cluster, world)

describe('a Secret from outside that changes after the pods were started', () => {
  beforeEach(async () => {
    provide(EARLIER)
    await again()
    expect(timeOfWeb()).toBeUndefined()
  })

  it('makes the next deploy of the same release roll them, once', async () => {
    provide(LATER)
    expect(await again()).toMatchObject({
      outcome: 'deployed',
      changes: expect.arrayContaining([expect.objectContaining({ action: 'update' })]),
    })
    expect(timeOfWeb()).toBe(LATER)
    expect((await again()).outcome).toBe('unchanged')
  })

  it('is no reason for that where the pods are newer, whoever has rolled them', async () => {
    expect((await again()).outcome).toBe('unchanged')
    provide(LATER)
    for (const [path, object] of cluster.objects)
      if (object.kind === 'Pod')
        cluster.objects.set(path, {
          ...object,
          metadata: { ...object.metadata, creationTimestamp: '2026-11-21T12:31:00Z' },
        })
    expect((await again()).outcome).toBe('unchanged')
    expect(timeOfWeb()).toBeUndefined()
  })

  it('leaves the pods as they were where those with the new values fail', async () => {
    provide(LATER)
    const broken = [namespaceObject, reading('web', 'broken')]
    const { outcome } = await deploy(deployOf('r2', broken), cluster, world)
    expect(outcome).toBe('rolled-back')
    expect(timeOfWeb()).toBeUndefined()
  })

  it('is seen by a plan, which writes nothing', async () => {
    provide(LATER)
    cluster.writes.length = 0
    const plan = await deploy(deployOf('r1', application, { mode: 'plan' }), cluster, world)
    expect(plan.message).toBe('1 objects would change')
    expect(cluster.writes).toEqual([])
  })
})

it('a Secret of the release itself rolls nothing by its time: its name has a hash', async () => {
  const metadata = { name: 'todo-secrets', namespace: NAMESPACE }
  const own = { apiVersion: 'v1', kind: 'Secret', metadata }
  const objects = [namespaceObject, own, reading('web')]
  await deploy(deployOf('r1', objects), cluster, world)
  const live = cluster.objects.get(secretPath) ?? own
  const managedFields = [{ time: LATER, fieldsV1: { 'f:data': {} } }]
  cluster.objects.set(secretPath, { ...live, metadata: { ...live.metadata, managedFields } })
  await deploy(deployOf('r1', objects), cluster, world)
  expect(timeOfWeb()).toBeUndefined()
})

describe('the operator', () => {
  const path = `/apis/external-secrets.io/v1/namespaces/${NAMESPACE}/externalsecrets/todo-secrets`
  const externalSecret = (syncedResourceVersion?: string): KubeObject => ({
    ...{ apiVersion: 'external-secrets.io/v1', kind: 'ExternalSecret' },
    metadata: { name: 'todo-secrets', namespace: NAMESPACE },
    status: { syncedResourceVersion },
  })

  it('is asked to read the store now, and waited for', async () => {
    cluster.objects.set(path, externalSecret('1-a'))
    let looks = 0
    cluster.intercept = ({ method }) => {
      if (method === 'GET' && (looks += 1) === 4) cluster.objects.set(path, externalSecret('1-b'))
      return undefined
    }
    await refreshFromStores([externalSecret()], cluster, world)
    expect(cluster.writes).toEqual([`PATCH ${path}`])
    expect(looks).toBe(4)
  })

  it('is waited for a while only: a store that is away ends no deploy here', async () => {
    cluster.objects.set(path, externalSecret('1-a'))
    const began = world.clock.now().getTime()
    await refreshFromStores([externalSecret()], cluster, world)
    expect(world.clock.now().getTime() - began).toBeLessThanOrEqual(10_000)
  })

  it('is left alone where it has not read the store yet', async () => {
    await refreshFromStores([externalSecret()], cluster, world)
    expect(cluster.writes).toEqual([])
  })
})
