import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { at } from '../../src/json.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { type Customers, startCustomers } from './customers.ts'
import { nodeImage, openShop, podsIn, type Shop, type ShopRelease } from './shop.ts'

const RUN = Date.now().toString(36).slice(-4)
/** A busy machine of two cores carries so many beside everything else; alone it carries 200. */
const PER_SECOND = Number(process.env['PER_SECOND'] ?? '50')
const SET = 'todo-deploy.dev/set'
const blueGreen = { type: 'blue-green', 'bake-time': '5s' } as const
const canary = {
  type: 'canary',
  steps: [25, 50],
  pause: '10s',
  'bake-time': '5s',
  analysis: { path: '/probe', samples: 10, 'max-latency-ratio': 10 },
} as const
/** It is ready, serves for a while, and then ends: as a leak or a poisonous request would end it. */
const CRASHES = { env: { CRASHES_AFTER: '25000' } }
const NEVER_READY = {
  container: {
    readinessProbe: { httpGet: { path: '/nothing', port: 'http' }, periodSeconds: 1 },
  },
}
/** Comes after everything else, and can't be started. */
function lateFailure(namespace: string, image: string): KubeObject {
  const labels = { app: 'late' }
  const command = ['/no/such/program']
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'late', namespace, annotations: { 'todo-deploy.dev/wave': 'after' } },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'late', image, command }] },
      },
    },
  }
}

/** What the server does at SIGTERM; the others are run by `npm run bench:deploy`. */
const kinds = (process.env['KINDS'] ?? 'dies').split(',') as NonNullable<ShopRelease['kind']>[]

function endOf({ outcome, message }: { outcome: string; message: string }): string {
  return `${outcome}: ${message}`
}

describe.each(kinds)(
  'one release after the other under load, of a server that %s at SIGTERM',
  (kind) => {
    const namespace = `todo-s-${RUN}-${kind}`
    let shop: Shop
    let customers: Customers
    beforeAll(async () => {
      shop = await openShop(namespace)
    })
    afterAll(async () => {
      await shop.close()
    })
    const release = (version: string, more: Partial<ShopRelease> = {}): ShopRelease => ({
      version,
      kind,
      replicas: 2,
      ...more,
    })
    const selector = async () => {
      const path = `/api/v1/namespaces/${namespace}/services/web`
      return at((await shop.cluster.call({ method: 'GET', path })).body, 'spec', 'selector')
    }

    it('begins by rolling, and rolls on', async () => {
      expect(endOf(await shop.deploy(release('1'), { strategy: 'rolling' }))).toMatch(/^deployed/)
      const url = `http://web.${namespace}.svc`
      const load = { namespace: `${namespace}-load`, url, perSecond: PER_SECOND }
      customers = await startCustomers(load, shop.cluster)
      expect(endOf(await shop.deploy(release('2'), { strategy: 'rolling' }))).toMatch(/^deployed/)
    })

    it('rolls back from one that never gets ready', async () => {
      const how = { strategy: 'rolling', timeoutSeconds: 30 } as const
      const result = await shop.deploy(release('bad-1', NEVER_READY), how)
      expect(endOf(result)).toMatch(/^rolled-back/)
    })

    it('goes on by blue-green, which adopts the ordinary Deployment', async () => {
      const result = await shop.deploy(release('3'), { strategy: blueGreen })
      expect(endOf(result)).toMatch(/^deployed/)
      expect(await selector()).toHaveProperty([SET])
      expect(await podsIn(namespace, shop.cluster)).toHaveLength(2)
      const again = await shop.deploy(release('3'), { strategy: blueGreen })
      expect(endOf(again)).toMatch(/^unchanged/)
    })

    it('takes the requests back where another part of the release fails after the shift', async () => {
      const before = await selector()
      const more = [lateFailure(namespace, await nodeImage())]
      const result = await shop.deploy(release('bad-2', { more }), { strategy: blueGreen })
      expect(endOf(result)).toMatch(/^rolled-back.*Deployment \S+late/)
      expect(shop.said.join('\n')).toMatch(/requests of web go to web-\w+\n.*late/s)
      expect(await selector()).toEqual(before)
      expect(await podsIn(namespace, shop.cluster)).toHaveLength(2)
    })

    it('goes on by a canary, whose real shares are said', async () => {
      const result = await shop.deploy(release('4'), { strategy: canary })
      expect(endOf(result)).toMatch(/^deployed/)
      expect(shop.said.join('\n')).toMatch(/web: 1 of 3 pods = 33.3 %, 25 % were asked for/)
      expect(result.timeline?.shifts.length).toBeGreaterThan(2)
    })

    it('takes the requests back from a canary that answers worse', async () => {
      const result = await shop.deploy(release('bad-3', { env: { FAILS: '0.5' } }), {
        strategy: canary,
      })
      expect(endOf(result)).toMatch(/^rolled-back.*canary at 25 % is worse.*errors rose/)
      expect(await podsIn(namespace, shop.cluster)).toHaveLength(2)
    })

    it('goes on after a run that was ended while both sets served', async () => {
      const cancelAt = /requests of web go to \S+ and/
      const ended = shop.deploy(release('ended'), { strategy: blueGreen, cancelAt })
      await expect(ended).rejects.toThrow('cancelled by the test')
      expect(await selector()).toEqual({ 'app.kubernetes.io/name': 'web' })
      const result = await shop.deploy(release('4b'), { strategy: blueGreen })
      expect(endOf(result)).toMatch(/^deployed/)
      expect(await podsIn(namespace, shop.cluster)).toHaveLength(2)
    })

    it('goes back to rolling', async () => {
      const result = await shop.deploy(release('5'), { strategy: 'rolling' })
      expect(endOf(result)).toMatch(/^deployed/)
      expect(await selector()).toEqual({ 'app.kubernetes.io/name': 'web' })
      expect(await podsIn(namespace, shop.cluster)).toHaveLength(2)
    })

    it('has lost no request by any of it', async () => {
      const sum = await customers.stop()
      const { lostAt, ...figures } = sum
      process.stderr.write(
        `${kind}: ${JSON.stringify(figures)}\n${lostAt.slice(0, 200).join('\n')}\n`,
      )
      expect(sum.lost).toEqual({})
      expect(sum.answered).toBe(sum.sent)
      expect(Object.keys(sum.versions)).toEqual(expect.arrayContaining(['1', '2', '3', '4', '5']))
    })

    it('takes the requests back from a new set that does not hold', async () => {
      await shop.deploy(release('6'), { strategy: blueGreen })
      const before = await selector()
      const result = await shop.deploy(release('bad-4', CRASHES), {
        strategy: { ...blueGreen, 'bake-time': '90s' },
      })
      expect(endOf(result)).toMatch(/^rolled-back.*restarted after they took the requests/)
      expect(await selector()).toEqual(before)
    })
  },
)
