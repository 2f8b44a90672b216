import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { todoDeploy } from '../e2e/lab.ts'
import { type Distribution, startDistribution } from '../registry/distribution.ts'
import { type Ending, openGate } from './gate.ts'
import { buildArguments, type Product, writeProduct } from './product.ts'
import { NOTHING, publishedIn, requireWhole } from './published.ts'

let registry: Distribution
let product: Product
/** What a run writes that nobody disturbs. */
let undisturbed: readonly string[] = []

beforeAll(async () => {
  product = await writeProduct()
  registry = await startDistribution('v3', 'open')
  const { call, writes } = await runUntil(Infinity, 'forbids')
  expect(call.status).toBe(0)
  undisturbed = writes
  await registry.stop()
})

beforeEach(async () => {
  registry = await startDistribution('v3', 'open')
})

afterEach(async () => {
  await registry.stop()
})

afterAll(async () => {
  await product.remove()
})

/** One run through a proxy that ends it after so many writes. */
async function runUntil(allowed: number, ending: Ending) {
  const gate = await openGate(registry.registry, allowed, ending)
  try {
    const call = await todoDeploy(buildArguments(product, gate.registry))
    return { call, writes: gate.writes }
  } finally {
    await gate.stop()
  }
}

/** The write that makes the release; before it nothing may be found, after it all. */
function commitIn(writes: readonly string[]): number {
  return writes.findIndex((write) =>
    /^PUT \/v2\/todo\/release\/manifests\/release-[0-9a-f]{12}$/.test(write),
  )
}

describe('a push', () => {
  it('makes the release by one request, after all but the tags of its images', () => {
    const before = undisturbed.slice(0, commitIn(undisturbed))
    expect(before.length).toBeGreaterThan(10)
    const byTag = /^PUT \S+\/manifests\/(?!sha256[:-])/
    expect(before.filter((write) => byTag.test(write))).toEqual([])
    const after = undisturbed.slice(commitIn(undisturbed))
    expect(after.filter((write) => !byTag.test(write))).toEqual([])
  })

  it.each([0, 0.3, 0.6, 0.9, 1])(
    'that is forbidden to go on when %f of it is done leaves no tag and no release; the next run publishes all',
    async (share) => {
      const allowed = Math.floor(share * commitIn(undisturbed))
      const { call, writes } = await runUntil(allowed, 'forbids')
      expect(call.firstLine).toMatch(/^publishing to 127.*without a login there is no permission/)
      expect(call.status).toBe(2)
      expect(writes).toHaveLength(allowed)
      expect(await publishedIn(registry)).toMatchObject(NOTHING)
      expect((await runUntil(Infinity, 'forbids')).call.status).toBe(0)
      const { releases } = await publishedIn(registry)
      expect(releases).toHaveLength(1)
      await requireWhole(registry, releases[0] ?? '')
    },
  )

  it.each([0, 7])('leaves none where the registry is gone after %i writes', async (allowed) => {
    const { call } = await runUntil(allowed, 'cuts')
    expect(call.firstLine).toMatch(
      /^The registry 127\.0\.0\.1:\d+ (cut the connection; run again, and look for a proxy|can't be reached)/,
    )
    expect(call.status).toBe(2)
    expect(await publishedIn(registry)).toMatchObject(NOTHING)
  })

  it('has published the release, and the whole of it, where only tags of images are missing', async () => {
    const { call } = await runUntil(commitIn(undisturbed) + 2, 'forbids')
    expect(call.status).toBe(2)
    const { releases } = await publishedIn(registry)
    expect(releases).toHaveLength(1)
    await requireWhole(registry, releases[0] ?? '')
    expect((await runUntil(Infinity, 'forbids')).call.status).toBe(0)
  })
})
