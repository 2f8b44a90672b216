import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openRepository } from '../../src/registry/client.ts'
import { pushLayout, readLayout } from '../../src/registry/layout.ts'

/**
 * `node tests/registry/bigblob.ts <registry> <bytes> [push]`: pushes an image with one layer of that size, reads the layer back unless it
 * is told to push only, and prints by how many bytes this process grew. A process of its own: that of Jest grows for reasons of its own.
 */
const [registry = '', bytes = '0', mode = ''] = process.argv.slice(2)
/** Enough to bring Node to the size that any transfer brings it to. */
const WARM_UP = 128 * 1024 * 1024
const IMAGE = 'application/vnd.oci.image.manifest.v1+json'
const { signal } = new AbortController()

type Added = { readonly mediaType: string; readonly digest: string; readonly size: number }
type Layout = { readonly folder: string; readonly layer: Added }

async function makeLayout(size: number): Promise<Layout> {
  const folder = await mkdtemp(join(tmpdir(), 'big-'))
  await mkdir(join(folder, 'blobs/sha256'), { recursive: true })
  const layer = await addLayer(folder, size)
  const config = await addText(folder, 'application/vnd.oci.image.config.v1+json', '{}')
  const image = { schemaVersion: 2, mediaType: IMAGE, config, layers: [layer] }
  const root = await addText(folder, IMAGE, JSON.stringify(image))
  await writeFile(join(folder, 'index.json'), JSON.stringify({ manifests: [root] }))
  return { folder, layer }
}

async function addText(folder: string, mediaType: string, text: string): Promise<Added> {
  const hex = createHash('sha256').update(text).digest('hex')
  await writeFile(join(folder, 'blobs/sha256', hex), text)
  return { mediaType, digest: `sha256:${hex}`, size: text.length }
}

/** A file that is all hole: it takes no room on the disk, and every byte of it is sent. */
async function addLayer(folder: string, size: number): Promise<Added> {
  const path = join(folder, 'hole')
  const file = await open(path, 'w')
  await file.truncate(size)
  await file.close()
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer)
  const hex = hash.digest('hex')
  await rename(path, join(folder, 'blobs/sha256', hex))
  return { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: `sha256:${hex}`, size }
}

async function carry({ folder, layer }: Layout): Promise<void> {
  const there = openRepository({ registry, repository: `todo/of-${layer.size}` }, signal)
  await pushLayout(await readLayout(folder), there)
  if (mode === 'push') return
  let read = 0
  for await (const piece of there.readBlob(layer)) read += piece.byteLength
  if (read !== layer.size) throw new Error(`${read} of ${layer.size} bytes came back`)
}

const [small, big] = [await makeLayout(WARM_UP), await makeLayout(Number(bytes))]
try {
  await carry(small)
  const before = process.memoryUsage.rss()
  let peak = before
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }, 20)
  await carry(big)
  clearInterval(watch)
  process.stdout.write(`${JSON.stringify({ before, grown: peak - before })}\n`)
} finally {
  for (const { folder } of [small, big]) await rm(folder, { recursive: true, force: true })
}
