import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parseYaml } from '../../src/yaml.ts'
import { textAt } from '../../src/json.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { until } from '../stack/prometheus.ts'
import { visit } from '../stack/wayin.ts'
import { startCustomers } from './customers.ts'
import { startPrometheus } from './metrics.ts'
import { openShop, type Shop } from './shop.ts'

/** A canary by the weights of a route of a real gateway, judged by a real Prometheus. */
const NAMESPACE = `todo-s-gateway-${process.pid.toString(36)}`
const HOST = 'shop.todo.localhost'
const PER_SECOND = 40
let shop: Shop

/** As docs/strategies.md gives it. */
function documented(): { readonly errors: string; readonly latency: string } {
  const [, yaml = ''] =
    /```yaml\n(analysis:\n {2}prometheus:[^`]*)```/.exec(
      readFileSync('docs/strategies.md', 'utf8'),
    ) ?? []
  const told: unknown = parseYaml(yaml)
  const query = (name: string) => textAt(told, 'analysis', 'prometheus', name) ?? ''
  return { errors: query('errors'), latency: query('latency') }
}

const canary = {
  type: 'canary',
  steps: [10, 50],
  pause: '20s',
  'bake-time': '5s',
  analysis: {
    ...{ path: '/health', samples: 10, 'max-latency-ratio': 10 },
    prometheus: { namespace: NAMESPACE, service: 'prometheus', port: 9090, ...documented() },
  },
} as const

const route: KubeObject = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'web', namespace: NAMESPACE },
  spec: {
    parentRefs: [{ name: 'todo-gateway', namespace: 'gateway-system' }],
    hostnames: [HOST],
    rules: [{ backendRefs: [{ name: 'web', port: 80 }] }],
  },
}

const customers = async (name: string) =>
  await startCustomers(
    {
      ...{ namespace: `${NAMESPACE}-${name}`, url: 'http://traefik.ingress.svc', host: HOST },
      perSecond: PER_SECOND,
    },
    shop.cluster,
  )
const release = (version: string, env: Readonly<Record<string, string>> = {}) => ({
  ...{ version, replicas: 2, env, more: [route] },
})

beforeAll(async () => {
  shop = await openShop(NAMESPACE)
  await startPrometheus(NAMESPACE, { 'app.kubernetes.io/name': 'web' }, shop.cluster)
  const first = await shop.deploy(release('1'), { strategy: 'rolling' })
  expect(`${first.outcome}: ${first.message}`).toMatch(/^deployed/)
  await until(async () => (await visit({ host: HOST, path: '/fast' })).status === 200, 60_000)
}, 240_000)
afterAll(async () => {
  await shop.close()
})

describe('a canary behind a gateway', () => {
  it('gets exactly the share that was asked for, and loses no request', async () => {
    const load = await customers('good')
    const shares: number[] = []
    await load.lately()
    const looking = setInterval(() => {
      if (!/web: 10 % by the weights/.test(shop.said.at(-1) ?? '')) return
      void load.lately().then((versions) => {
        const [old = 0, young = 0] = [versions['1'], versions['2']]
        if (young > 0) shares.push((100 * young) / (old + young))
      })
    }, 8_000)
    const result = await shop.deploy(release('2'), { strategy: canary })
    clearInterval(looking)
    const sum = await load.stop()
    process.stderr.write(`${JSON.stringify({ shares, ...sum })}\n${shop.said.join('\n')}\n`)
    expect(`${result.outcome}: ${result.message}`).toMatch(/^deployed/)
    expect(shares.at(-1)).toBeGreaterThan(5)
    expect(shares.at(-1)).toBeLessThan(17)
    expect(sum.lost).toEqual({})
    expect(sum.versions).toHaveProperty('2')
  }, 400_000)

  it('that only Prometheus knows to be worse gives the requests back', async () => {
    const load = await customers('bad')
    const result = await shop.deploy(release('bad', { ERRORS: '0.5' }), { strategy: canary })
    const sum = await load.stop()
    expect(`${result.outcome}: ${result.message}`).toMatch(
      /^rolled-back.*canary at 10 % is worse.*Prometheus: errors rose from 0\.0 % to \d/,
    )
    // Nothing but what the canary itself answered with.
    expect(Object.keys(sum.lost).filter((why) => !why.endsWith('status 500'))).toEqual([])
    expect(Object.values(sum.lost).reduce((all, one) => all + one, 0)).toBeLessThan(sum.sent * 0.1)
  }, 400_000)

  it('that nobody asks anything proves nothing, and people are asked', async () => {
    const result = await shop.deploy(release('3'), { strategy: canary })
    expect(`${result.outcome}: ${result.message}`).toMatch(
      /^inconclusive.*Prometheus has no errors to show/s,
    )
  }, 400_000)
})
