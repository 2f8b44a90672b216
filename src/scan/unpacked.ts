import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { copyFile, link, mkdir, rename, rm, statfs, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { blobPath, type LayoutImage, treeOf } from '../registry/layout.ts'
import type { Descriptor } from '../registry/descriptor.ts'
import { saveFile } from '../registry/save.ts'
import { doAtOnce } from '../registry/several.ts'

/** Bytes of room for each byte of an image as it is packed: all of it unpacked, and unpacked once more by its scanner. */
const ROOM = 8
/** Bytes that are read, unpacked and written at a time. */
const PIECE = 128 * 1024

/** Images for scanners, whose layers are unpacked already. */
export type Unpacked = {
  /** The same image as another layout, or `layout` itself where it can't be unpacked: that is for its scanner to say. */
  readonly of: (layout: LayoutImage) => Promise<LayoutImage>
  readonly remove: () => Promise<void>
}

/**
 * Unpacks layers below `folder`, each once: most images of an application share some, and a scanner unpacks all layers of each image
 * for itself, four times as slowly. In the layouts that come of it a layer has the name that it has in the registry, and its bytes are
 * those of its archive: scanners look at how a layer begins, and find in the SBOM what they would have found.
 */
export function openUnpacked(folder: string, signal: AbortSignal): Unpacked {
  const known = new Map<string, Promise<void>>()
  const blobs = join(folder, 'blobs')
  const fill = async (layout: LayoutImage): Promise<LayoutImage> => {
    const view = join(folder, randomUUID())
    const tree = await treeOf(layout)
    await mkdir(join(blobs, 'sha256'), { recursive: true })
    await mkdir(view)
    await symlink(join('..', 'blobs'), join(view, 'blobs'))
    for (const file of ['oci-layout', 'index.json'])
      await copyFile(join(layout.folder, file), join(view, file))
    for (const { descriptor, bytes } of tree.manifests)
      await saveFile(blobPath(view, descriptor.digest), bytes)
    await doAtOnce(tree.blobs, async (blob) => {
      const path = { from: blobPath(layout.folder, blob.digest), to: blobPath(view, blob.digest) }
      const filling = known.get(blob.digest) ?? fillBlob(blob, path, signal)
      known.set(blob.digest, filling)
      await filling
    })
    return { ...layout, folder: view }
  }
  return {
    of: async (layout) => {
      await mkdir(folder, { recursive: true })
      const { bavail, bsize } = await statfs(folder)
      if (bavail * bsize < layout.size * ROOM) return layout
      return await fill(layout).catch(() => layout)
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

async function fillBlob(
  blob: Descriptor,
  { from, to }: { readonly from: string; readonly to: string },
  signal: AbortSignal,
): Promise<void> {
  if (!blob.mediaType.endsWith('gzip')) {
    await link(from, to).catch(() => copyFile(from, to)) // Another disk.
    return
  }
  const part = `${to}.part`
  try {
    await pipeline(
      createReadStream(from, { highWaterMark: PIECE }),
      createGunzip({ chunkSize: PIECE }),
      createWriteStream(part),
      { signal },
    )
    await rename(part, to)
  } catch (error) {
    await rm(part, { force: true }) // It may have filled the disk.
    throw error
  }
}
