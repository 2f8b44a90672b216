import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { start, todoDeploy } from '../e2e/lab.ts'
import { type Distribution, startDistribution } from '../registry/distribution.ts'
import { buildArguments, type Product, writeProduct } from './product.ts'
import { NOTHING, publishedIn, requireWhole } from './published.ts'

/** The steps of a run, as they are announced, up to the one request that makes the release. */
const BEFORE = [
  'Read the bake file',
  'Reach the registry',
  'Compare with what was built before',
  'Build',
  'Scan',
  'Publish the images',
  'Sign',
]
const SINCE = ['Publish the release', 'Tag the images']
/** Right at its begin, and when it is well under way. */
const MOMENTS_MS = [0, 200]

let registry: Distribution
/** The same sources for all: what one killed run leaves is what the next one finds. */
let product: Product

beforeAll(async () => {
  registry = await startDistribution('v3', 'open')
  product = await writeProduct()
})

afterAll(async () => {
  await registry.stop()
  await product.remove()
})

/** Starts a run and ends it with SIGKILL some milliseconds after a step began; tells the steps that had begun. */
async function killAt(step: string, afterMs: number): Promise<readonly string[]> {
  const child = start(buildArguments(product, registry.registry))
  let said = ''
  const steps = () => [...said.matchAll(/^▸ (.*)$/gm)].map(([, title = '']) => title)
  await new Promise<void>((resolve) => {
    let isDoomed = false
    child.on('close', () => {
      resolve()
    })
    child.stdout.resume()
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk
      if (isDoomed || !steps().some((title) => title.startsWith(step))) return
      isDoomed = true
      setTimeout(() => child.kill('SIGKILL'), afterMs)
    })
  })
  return steps()
}

const moments = (steps: readonly string[]) =>
  steps.flatMap((step) => MOMENTS_MS.map((afterMs) => ({ step, afterMs })))

describe('a run that is killed', () => {
  it.each(moments(BEFORE))(
    '$afterMs ms into "$step" has published neither a tag nor a release',
    async ({ step, afterMs }) => {
      const begun = await killAt(step, afterMs)
      expect(begun.some((title) => title.startsWith(step))).toBe(true)
      // A step may be over in less time: then it was killed in a later one, which is tried by itself.
      if (!begun.some((title) => SINCE.includes(title)))
        expect(await publishedIn(registry)).toMatchObject(NOTHING)
    },
  )

  it.each(moments(SINCE))(
    '$afterMs ms into "$step" has published no release, or the whole of it',
    async ({ step, afterMs }) => {
      await killAt(step, afterMs)
      const { releases } = await publishedIn(registry)
      for (const digest of releases) await requireWhole(registry, digest)
    },
  )

  it('is made good by the next run, and the one after it has nothing to build', async () => {
    const next = await todoDeploy(buildArguments(product, registry.registry))
    expect({ status: next.status, line: next.firstLine }).toEqual({ status: 0, line: '' })
    const { tags, releases } = await publishedIn(registry)
    for (const digest of releases) await requireWhole(registry, digest)
    for (const image of ['one', 'two'])
      expect(tags).toEqual(expect.arrayContaining([`todo/${image}:newest`]))
    const again = await todoDeploy(buildArguments(product, registry.registry))
    expect(again.stderr).toContain('one: unchanged')
    expect(again.stderr).toContain('two: unchanged')
  })
})
