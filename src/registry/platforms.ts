import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { UserError } from '../errors.ts'
import { listAt, parseJson, textAt } from '../json.ts'
import { type Descriptor, descriptorOf, isIndex, isManifest } from './descriptor.ts'
import { type LayoutImage, treeOf } from './layout.ts'
import type { Manifest } from './manifest.ts'

/** An image for one platform. */
export type PlatformImage = {
  /** Such as `linux/arm64/v8`; empty for an image that is no part of an index. */
  readonly platform: string
  readonly root: Descriptor
}

/**
 * The images that a manifest leads to: itself, or those of the index that it is, in its order. What belongs to no platform, such as an
 * attestation of BuildKit, is none of them. Throws `UserError` for an index in an index: what it leads to would not be looked at.
 */
export function platformImages(
  manifest: Pick<Manifest, 'digest' | 'mediaType' | 'bytes'>,
): readonly PlatformImage[] {
  const { digest, mediaType, bytes } = manifest
  const root = { mediaType, digest, size: bytes.length }
  if (!isIndex(root)) return [{ platform: '', root }]
  return listAt(parseJson(bytes.toString(), digest), 'manifests').flatMap((child) => {
    const of = descriptorOf(child)
    const [os, architecture, variant] = ['os', 'architecture', 'variant'].map((part) =>
      textAt(child, 'platform', part),
    )
    if (isIndex(of))
      throw new UserError(
        `The image ${digest} is refused: its index has another index in it, ${of.digest}; build one with an image for each platform`,
      )
    if (!isManifest(of) || architecture === 'unknown') return []
    const platform = [os, architecture, variant].filter((part) => part !== undefined).join('/')
    return [{ platform, root: of }]
  })
}

/** A layout for each platform of an image, below `folder`, made of the same files; the image itself where it has one only. */
export async function splitLayout(
  layout: LayoutImage,
  folder: string,
): Promise<readonly { readonly platform: string; readonly layout: LayoutImage }[]> {
  if (!isIndex(layout.root)) return [{ platform: '', layout }]
  const { manifests } = await treeOf(layout)
  const index = manifests.find(({ descriptor }) => descriptor.digest === layout.root.digest)
  const images = platformImages({ ...layout.root, bytes: index?.bytes ?? Buffer.alloc(0) })
  return await Promise.all(
    images.map(async ({ platform, root }) => {
      const own = join(folder, root.digest.replace(':', '-'))
      await mkdir(own, { recursive: true })
      // Images of one run may share a platform's image to the letter.
      await symlink(resolve(layout.folder, 'blobs'), join(own, 'blobs')).catch(() => undefined)
      await writeFile(join(own, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}\n')
      const one = { schemaVersion: 2, manifests: [root] }
      await writeFile(join(own, 'index.json'), `${JSON.stringify(one)}\n`)
      const { size } = await treeOf({ folder: own, root })
      return { platform, layout: { folder: own, root, size } }
    }),
  )
}
