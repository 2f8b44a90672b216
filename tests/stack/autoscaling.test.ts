import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { applyObject } from '../../src/cluster/apply.ts'
import { deleteObject } from '../../src/cluster/delete.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { discoverResources } from '../../src/cluster/resources.ts'
import { at, listAt, textAt } from '../../src/json.ts'
import { pullRelease } from '../../src/release/release.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { cluster, demoRelease } from '../e2e/lab.ts'
import { clearNamespace, dropNamespace, renderAs } from './rendered.ts'

const NAMESPACE = 'todo-stack-autoscaling'
const SCALERS = (namespace: string) =>
  `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`
const DEPLOYMENT = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/local-model`
const WAIT_MS = 150_000

let api: Cluster
let deployment: KubeObject
let scaler: KubeObject

beforeAll(async () => {
  api = await cluster()
  await clearNamespace(NAMESPACE, api)
  const { images } = await pullRelease(await demoRelease(), AbortSignal.timeout(30_000))
  const objects = await renderAs('dev', { namespace: NAMESPACE }, images)
  const find = (kind: string, name: string) =>
    objects.find((object) => object.kind === kind && object.metadata.name === name) as KubeObject
  deployment = find('Deployment', 'local-model')
  scaler = eager(find('HorizontalPodAutoscaler', 'ai-agent'))
  for (const object of [
    find('Namespace', NAMESPACE),
    find('ServiceAccount', 'local-model'),
    deployment,
    scaler,
  ])
    await applyObject(object, discoverResources(api), api)
}, 180_000)

afterAll(async () => {
  await dropNamespace(NAMESPACE, api)
})

/** The autoscaler of a service, set on a workload that needs no other one, and content with next to no memory. */
function eager(object: KubeObject): KubeObject {
  const spec = at(object, 'spec') as Readonly<Record<string, unknown>>
  const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'local-model' }
  const text = JSON.stringify({ ...spec, scaleTargetRef: target, maxReplicas: 3 })
  return { ...object, spec: JSON.parse(text.replace('410Mi', '4Mi')) as unknown }
}

async function replicas(): Promise<number> {
  const { body } = await api.call({ method: 'GET', path: DEPLOYMENT })
  return Number(at(body, 'spec', 'replicas'))
}

/** What each autoscaler of a namespace measures, and which of the two conditions that count hold. */
async function statesOf(namespace: string): Promise<Readonly<Record<string, unknown>>> {
  const { body } = await api.call({ method: 'GET', path: SCALERS(namespace) })
  return Object.fromEntries(
    listAt(body, 'items').map((item) => {
      const metrics = listAt(item, 'status', 'currentMetrics')
        .flatMap((metric) => textAt(metric, 'resource', 'name') ?? [])
        .toSorted()
      const conditions = listAt(item, 'status', 'conditions')
        .filter((is) => textAt(is, 'status') === 'True')
        .flatMap((is) => textAt(is, 'type') ?? [])
        .filter((type) => type !== 'ScalingLimited')
        .toSorted()
      return [textAt(item, 'metadata', 'name') ?? '', { metrics, conditions }]
    }),
  )
}

async function waitFor(what: () => Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + WAIT_MS
  while (Date.now() < deadline) {
    if (await what()) return true
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
  return false
}

async function patch(path: string, body: unknown): Promise<void> {
  const contentType = 'application/merge-patch+json'
  const answer = await api.call({ method: 'PATCH', path, contentType, body })
  expect(`${answer.status} ${textAt(answer.body, 'message') ?? ''}`).toBe('200 ')
}

describe('the autoscalers', () => {
  it('of the development environment are told CPU and memory of their pods, and act on it', async () => {
    const working = { metrics: ['cpu', 'memory'], conditions: ['AbleToScale', 'ScalingActive'] }
    const expected = {
      'ai-agent': working,
      backend: working,
      frontend: working,
      'mcp-server': working,
    }
    let states = {}
    const allWork = async () => {
      states = await statesOf('todo-app-dev')
      return isDeepStrictEqual(states, expected)
    }
    await waitFor(allWork)
    expect(states).toEqual(expected)
  })

  it('bring more replicas where the pods use more than they should', async () => {
    expect(await replicas()).toBeGreaterThanOrEqual(1)
    expect(await waitFor(async () => (await replicas()) >= 2)).toBe(true)
    expect(await waitFor(async () => (await replicas()) === 3)).toBe(true)
  })

  it('leave a person the floor: with a higher one there are more', async () => {
    const spec = { minReplicas: 4, maxReplicas: 4 }
    await patch(`${SCALERS(NAMESPACE)}/${scaler.metadata.name}`, { spec })
    expect(await waitFor(async () => (await replicas()) === 4)).toBe(true)
  })

  it('are not needed to scale by hand, and no deploy takes back what was set', async () => {
    await deleteObject(scaler, '', api)
    await patch(`${DEPLOYMENT}/scale`, { spec: { replicas: 2 } })
    await applyObject(deployment, discoverResources(api), api)
    expect(await replicas()).toBe(2)
  })
})
