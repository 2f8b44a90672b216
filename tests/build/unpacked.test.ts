import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { plainVoice, showProgress } from '../../src/edge/terminal.ts'
import { inRealWorld } from '../../src/edge/world.ts'
import { isObject, listAt, parseJson, textAt } from '../../src/json.ts'
import { openRepository } from '../../src/registry/client.ts'
import { type LayoutImage, pullLayout } from '../../src/registry/layout.ts'
import { parseReference } from '../../src/registry/reference.ts'
import { ensureSbom, sbomPath, spdxPath } from '../../src/scan/scanner.ts'
import { openUnpacked } from '../../src/scan/unpacked.ts'
import type { World } from '../../src/world.ts'
import { todoDeploy } from '../e2e/lab.ts'
import { type Distribution, startDistribution } from '../registry/distribution.ts'
import { buildArguments, type Product, writeProduct } from './product.ts'

let registry: Distribution
let product: Product
let folder: string
beforeAll(async () => {
  registry = await startDistribution('v3', 'open')
  const dockerfile = 'FROM python:3.11-slim\nCOPY content /content\n'
  product = await writeProduct({ one: { dockerfile } })
  folder = await mkdtemp(join(tmpdir(), 'todo-deploy-unpacked-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
  await product.remove()
  await registry.stop()
})

it('finds in unpacked layers what is in their archives, under the same digests', async () => {
  const call = await todoDeploy(buildArguments(product, registry.registry))
  expect([call.status, call.firstLine]).toEqual([0, ''])
  const reference = `${registry.registry}/todo/one@${textAt(call.report, 'images', 'one', 'digest')}`
  const signal = AbortSignal.timeout(120_000)
  const progress = showProgress(process.stdout, plainVoice)
  await inRealWorld({ progress, signal }, async (world) => {
    const { digest = '', ...place } = parseReference(reference)
    const packed = await pullLayout(digest, openRepository(place, signal), join(folder, 'packed'))
    if (packed === undefined) throw new Error(`${reference} is not there`)
    const unpacked = await openUnpacked(join(folder, 'unpacked'), signal).of(packed)
    expect(unpacked.folder).not.toBe(packed.folder)
    const found = await sbomsOf(unpacked, world)
    expect(listAt(found[0], 'artifacts').length).toBeGreaterThan(50)
    expect(JSON.stringify(found[0])).toContain(digest)
    expect(found).toEqual(await sbomsOf(packed, world))
  })
}, 240_000)

/** Both forms of the SBOM, without what is another in each run of syft. */
async function sbomsOf(layout: LayoutImage, world: World): Promise<readonly unknown[]> {
  const cacheFolder = await mkdtemp(join(folder, 'known-'))
  const { digest } = layout.root
  await ensureSbom({ name: 'one', digest, layout, cacheFolder }, world)
  const file = sbomPath(digest, cacheFolder)
  const texts = await Promise.all([file, spdxPath(file)].map((form) => readFile(form, 'utf8')))
  return texts.map((text) =>
    Object.fromEntries(
      Object.entries(objectOf(parseJson(text.replaceAll(layout.folder, ''), 'an SBOM'))).filter(
        ([key]) => !['documentNamespace', 'creationInfo', 'descriptor'].includes(key),
      ),
    ),
  )
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw new Error('an SBOM is an object')
  return value
}
