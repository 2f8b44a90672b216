import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { at } from '../../src/json.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { openShop, type Shop } from './shop.ts'

const NAMESPACE = `todo-s-${Date.now().toString(36).slice(-4)}-hpa`
const REACTION_MS = 60_000

let shop: Shop
beforeAll(async () => {
  shop = await openShop(NAMESPACE)
})
afterAll(async () => {
  await shop.close()
})

const scaler: KubeObject = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web', namespace: NAMESPACE },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 2,
    maxReplicas: 4,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'AverageValue', averageValue: '2' } },
      },
    ],
  },
}

async function get(path: string): Promise<unknown> {
  return (await shop.cluster.call({ method: 'GET', path })).body
}
const liveScaler = () =>
  get(`/apis/autoscaling/v2/namespaces/${NAMESPACE}/horizontalpodautoscalers/web`)
const replicasOf = async (name: string) =>
  at(await get(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${name}`), 'spec', 'replicas')

/** Manifests without a number of pods: the autoscaler counts them. */
async function deploy(version: string, strategy: 'rolling' | 'blue-green'): Promise<string> {
  const { outcome, message } = await shop.deploy({ version, more: [scaler] }, { strategy })
  return `${outcome}: ${message}`
}

describe('an autoscaler, on the way from one strategy to another', () => {
  it('counts the pods of an ordinary Deployment', async () => {
    expect(await deploy('1', 'rolling')).toMatch(/^deployed/)
    const deadline = Date.now() + REACTION_MS
    while ((await replicasOf('web')) !== 2 && Date.now() < deadline) await sleep(1_000)
    expect(await replicasOf('web')).toBe(2)
  })

  it('counts those of the new set afterwards, which begins with as many', async () => {
    expect(await deploy('2', 'blue-green')).toMatch(/^deployed/)
    const live = await liveScaler()
    const set = String(at(live, 'spec', 'scaleTargetRef', 'name'))
    expect(set).toMatch(/^web-[0-9a-f]{8}$/)
    expect(live).toMatchObject({ spec: { minReplicas: 2, maxReplicas: 4 } })
    expect(await replicasOf(set)).toBe(2)
  })

  it('leaves nothing to do for the same release', async () => {
    expect(await deploy('2', 'blue-green')).toMatch(/^unchanged/)
  })

  it('counts the ordinary ones again, and their number was never one', async () => {
    expect(await deploy('3', 'rolling')).toMatch(/^deployed/)
    expect(await liveScaler()).toMatchObject({ spec: { scaleTargetRef: { name: 'web' } } })
    expect(await replicasOf('web')).toBe(2)
    // The old pods count until they are gone.
    const path = `/apis/policy/v1/namespaces/${NAMESPACE}/poddisruptionbudgets/web`
    const deadline = Date.now() + REACTION_MS
    const expected = async () => at(await get(path), 'status', 'expectedPods')
    while ((await expected()) !== 2 && Date.now() < deadline) await sleep(1_000)
    expect(await expected()).toBe(2)
  })
})
