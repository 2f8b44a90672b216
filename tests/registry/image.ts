import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Blob } from '../../src/registry/client.ts'
import { type LayoutImage, readLayout } from '../../src/registry/layout.ts'

const INDEX = 'application/vnd.oci.image.index.v1+json'
const IMAGE = 'application/vnd.oci.image.manifest.v1+json'
const CONFIG = 'application/vnd.oci.image.config.v1+json'
const LAYER = 'application/vnd.oci.image.layer.v1.tar'

export const MEGABYTE = 1024 * 1024

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** A blob of random bytes. */
export function newBlob(size: number): Blob & { readonly bytes: Buffer } {
  const bytes = randomBytes(size)
  return { bytes, digest: digestOf(bytes), size, open: (start) => bytes.subarray(start) }
}

/** A layout of one image for two platforms, each with the base layer, one of its own, and a configuration. */
export async function makeImage(base: Buffer = randomBytes(MEGABYTE)): Promise<LayoutImage> {
  const folder = await mkdtemp(join(tmpdir(), 'image-'))
  await mkdir(join(folder, 'blobs/sha256'), { recursive: true })
  const add = async (mediaType: string, bytes: Buffer) => {
    const digest = digestOf(bytes)
    await writeFile(join(folder, 'blobs', digest.replace(':', '/')), bytes)
    return { mediaType, digest, size: bytes.length }
  }
  const json = (mediaType: string, value: object) =>
    add(mediaType, Buffer.from(JSON.stringify(value)))
  const manifests = []
  for (const architecture of ['amd64', 'arm64']) {
    const layers = [await add(LAYER, base), await add(LAYER, randomBytes(200_000))]
    const rootfs = { type: 'layers', diff_ids: layers.map(({ digest }) => digest) }
    const config = await json(CONFIG, { architecture, os: 'linux', rootfs })
    const image = { schemaVersion: 2, mediaType: IMAGE, config, layers }
    manifests.push({ ...(await json(IMAGE, image)), platform: { architecture, os: 'linux' } })
  }
  const root = await json(INDEX, { schemaVersion: 2, mediaType: INDEX, manifests })
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  await writeFile(
    join(folder, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [root] }),
  )
  return await readLayout(folder)
}

/** Name and digest of the content of every blob in a layout folder. */
export async function blobsIn(folder: string): Promise<readonly string[]> {
  const at = join(folder, 'blobs/sha256')
  const names = (await readdir(at)).sort()
  return await Promise.all(
    names.map(async (name) => `${name}=${digestOf(await readFile(join(at, name)))}`),
  )
}
