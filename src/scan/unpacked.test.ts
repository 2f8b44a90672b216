import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { blobPath, type LayoutImage, readLayout } from '../registry/layout.ts'
import { sha256 } from '../registry/digest.ts'
import { openUnpacked } from './unpacked.ts'

const IMAGE = 'application/vnd.oci.image.manifest.v1+json'
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unpacked-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** A layout of an image that has these layers. */
async function imageOf(
  ...layers: readonly { readonly bytes: Buffer; readonly mediaType: string }[]
): Promise<LayoutImage> {
  const layout = await mkdtemp(join(folder, 'layout-'))
  await mkdir(join(layout, 'blobs', 'sha256'), { recursive: true })
  const add = async (bytes: Buffer, mediaType: string) => {
    const digest = sha256(bytes)
    await writeFile(blobPath(layout, digest), bytes)
    return { mediaType, digest, size: bytes.length }
  }
  const config = await add(randomBytes(8), 'application/vnd.oci.image.config.v1+json')
  const descriptors = []
  for (const { bytes, mediaType } of layers) descriptors.push(await add(bytes, mediaType))
  const manifest = { schemaVersion: 2, mediaType: IMAGE, config, layers: descriptors }
  const root = await add(Buffer.from(JSON.stringify(manifest)), IMAGE)
  await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  const index = { schemaVersion: 2, manifests: [root] }
  await writeFile(join(layout, 'index.json'), JSON.stringify(index))
  return await readLayout(layout)
}

const packed = (bytes: Buffer) => ({ bytes: gzipSync(bytes), mediaType: LAYER })
const open = () => openUnpacked(join(folder, 'unpacked'), new AbortController().signal)
const digestsIn = (image: LayoutImage) => readdir(join(image.folder, 'blobs', 'sha256'))

describe('images for scanners', () => {
  it('have the layers unpacked under the names of their archives, and all else as it was', async () => {
    const [first, second] = [randomBytes(500_000), randomBytes(10)]
    const asItIs = { bytes: randomBytes(9), mediaType: LAYER.replace('gzip', 'zstd') }
    const image = await imageOf(packed(first), asItIs, packed(second))
    const unpacked = await open().of(image)
    expect(unpacked).toEqual({ ...image, folder: unpacked.folder })
    for (const file of ['oci-layout', 'index.json'])
      expect(await readFile(join(unpacked.folder, file))).toEqual(
        await readFile(join(image.folder, file)),
      )
    const layers = new Map([first, second].map((bytes) => [sha256(gzipSync(bytes)), bytes]))
    for (const hex of await digestsIn(image)) {
      const digest = `sha256:${hex}`
      const expected = layers.get(digest) ?? (await readFile(blobPath(image.folder, digest)))
      expect((await readFile(blobPath(unpacked.folder, digest))).equals(expected)).toBe(true)
    }
    expect((await digestsIn(unpacked)).sort()).toEqual((await digestsIn(image)).sort())
  })

  it('share a layer, which is unpacked once', async () => {
    const base = packed(randomBytes(1000))
    const [one, two] = [await imageOf(base), await imageOf(base, packed(randomBytes(5)))]
    const unpacked = open()
    const [first, digest] = [await unpacked.of(one), sha256(base.bytes)]
    // Only the one that was unpacked is still whole.
    await truncate(blobPath(two.folder, digest), 3)
    const second = await unpacked.of(two)
    expect(second.folder).not.toBe(two.folder)
    expect(await readFile(blobPath(second.folder, digest))).toEqual(
      await readFile(blobPath(first.folder, digest)),
    )
    await unpacked.remove()
    expect(await readdir(folder)).not.toContain('unpacked')
  })

  it('are what they were where a layer is damaged, or where there is no room', async () => {
    const image = await imageOf({ bytes: randomBytes(100), mediaType: LAYER })
    expect(await open().of(image)).toBe(image)
    const left = await readdir(join(folder, 'unpacked', 'blobs', 'sha256'))
    expect(left.filter((name) => name.endsWith('.part'))).toEqual([])
    const huge = { ...(await imageOf(packed(randomBytes(5)))), size: Number.MAX_SAFE_INTEGER }
    expect(await open().of(huge)).toBe(huge)
  })
})
