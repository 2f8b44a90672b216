import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { type Artifact, listReferrers, pushArtifact } from '../../src/registry/artifact.ts'
import { copyImage } from '../../src/registry/copy.ts'
import { pullLayout, pushLayout } from '../../src/registry/layout.ts'
import { newRun } from './client.ts'
import { startDistribution } from './distribution.ts'
import { blobsIn, makeImage } from './image.ts'
import { openProxy } from './proxy.ts'
import { type Running, startProgram } from './running.ts'

const TYPE = 'application/vnd.todo-deploy.verdict.v1+json'
const statement: Artifact = {
  type: TYPE,
  mediaType: 'application/json',
  content: Buffer.from('{"verdict":"pass"}'),
  annotations: {},
}

const running: { readonly stop: () => Promise<void> }[] = []
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop()
})

async function started<T extends { readonly stop: () => Promise<void> }>(
  it: Promise<T>,
): Promise<T> {
  const one = await it
  running.push(one)
  return one
}

const targets: readonly { name: string; start: () => Promise<Running> }[] = [
  { name: 'distribution 3', start: () => startDistribution('v3', 'open') },
  {
    name: 'a registry with the referrers API',
    start: () => startProgram([process.env['REGISTRY_REFERRERS'] ?? '', 'oci']),
  },
]

describe('an image of two platforms', () => {
  it.each(targets)('is copied to $name, with what speaks about it', async ({ start }) => {
    const run = newRun()
    const from = run.open((await started(startDistribution('v2', 'open'))).registry, 'dev/backend')
    const to = run.open((await started(start())).registry, 'prod/backend')
    const image = await makeImage()
    await pushLayout(image, from)
    const verdict = await pushArtifact({ ...statement, subject: image.root }, from)
    const about = { ...statement, content: Buffer.from('about the verdict'), subject: verdict }
    const { digest } = await pushArtifact(about, from)
    await copyImage(image.root.digest, from, to)
    const folder = await mkdtemp(join(tmpdir(), 'copied-'))
    expect((await pullLayout(image.root.digest, to, folder))?.size).toBe(image.size)
    expect(await blobsIn(folder)).toEqual(await blobsIn(image.folder))
    expect(await listReferrers(image.root.digest, TYPE, to)).toEqual([verdict.digest])
    expect(await listReferrers(verdict.digest, TYPE, to)).toEqual([digest])
    for (const used of [folder, image.folder]) await rm(used, { recursive: true })
  })

  it('is copied within a registry without moving a blob', async () => {
    const registry = await started(startDistribution('v3', 'open'))
    const proxy = await started(openProxy(registry.registry))
    const image = await makeImage()
    await pushLayout(image, newRun().open(registry.registry, 'dev/backend'))
    const run = newRun()
    const [from, to] = ['dev', 'prod'].map((place) => run.open(proxy.registry, `${place}/backend`))
    if (from === undefined || to === undefined) throw new Error('two were opened')
    await copyImage(image.root.digest, from, to)
    expect(await to.getManifest(image.root.digest)).toBeDefined()
    expect(proxy.counted.up + proxy.counted.down).toBeLessThan(100_000)
    await rm(image.folder, { recursive: true })
  })

  it('is not copied where the source lacks a part', async () => {
    const registry = await started(startDistribution('v3', 'open'))
    const run = newRun()
    const [from, to] = ['dev', 'prod'].map((place) => run.open(registry.registry, `${place}/none`))
    if (from === undefined || to === undefined) throw new Error('two were opened')
    await expect(copyImage(`sha256:${'0'.repeat(64)}`, from, to)).rejects.toThrow(
      'is not whole in the registry',
    )
  })
})
