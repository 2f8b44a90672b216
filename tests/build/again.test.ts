import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { SBOM_TYPE } from '../../src/build/publish.ts'
import { at } from '../../src/json.ts'
import { openRepository } from '../../src/registry/client.ts'
import { parseReference } from '../../src/registry/reference.ts'
import { listReferrers } from '../../src/registry/referrers.ts'
import { todoDeploy } from '../e2e/lab.ts'
import { type Distribution, startDistribution } from '../registry/distribution.ts'
import { buildArguments, type Product, writeProduct } from './product.ts'

/** Runners that have just been made: nothing is known but what the registry keeps. */
let registry: Distribution
let product: Product
beforeAll(async () => {
  registry = await startDistribution('v3', 'open')
  product = await writeProduct({ one: {} })
})
afterAll(async () => {
  await product.remove()
  await registry.stop()
})

/** Why the image was built by a runner with an empty cache folder, and its digest. */
async function onNewRunner(): Promise<{ readonly why: unknown; readonly digest: unknown }> {
  const cache = await mkdtemp(join(tmpdir(), 'runner-'))
  const call = await todoDeploy(buildArguments(product, registry.registry), {
    TODO_DEPLOY_CACHE: cache,
  })
  await rm(cache, { recursive: true, force: true })
  expect([call.status, call.firstLine]).toEqual([0, ''])
  return { why: at(call.report, 'why', 'one'), digest: at(call.report, 'images', 'one', 'digest') }
}

it('uses an image again, also one whose bytes were there before its inputs were', async () => {
  const first = await onNewRunner()
  expect(first.why).toBe('built, since it was never published')
  expect(await onNewRunner()).toEqual({ ...first, why: 'unchanged' })
  // Other inputs, the same bytes: the SBOM and the provenance of before are beside the image already.
  for (const file of ['of', 'no', 'effect']) {
    await writeFile(join(product.folder, 'one', file), '')
    expect(await onNewRunner()).toEqual({ ...first, why: `built, since file ${file} is new` })
  }
  expect(await onNewRunner()).toEqual({ ...first, why: 'unchanged' })
}, 240_000)

it('builds an image anew whose SBOM somebody has deleted, and uses that one again', async () => {
  const reference = `${registry.registry}/todo/one`
  const { digest } = await onNewRunner()
  const repository = openRepository(parseReference(reference), AbortSignal.timeout(60_000))
  for (const sbom of await listReferrers(String(digest), SBOM_TYPE, repository))
    await fetch(`http://${registry.registry}/v2/todo/one/manifests/${sbom}`, { method: 'DELETE' })
  const why = 'built, since its SBOM is not in the registry'
  expect(await onNewRunner()).toEqual({ digest, why })
  expect(await onNewRunner()).toEqual({ digest, why: 'unchanged' })
}, 240_000)
