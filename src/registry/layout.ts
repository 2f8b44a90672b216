import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import { isObject, listAt, parseJson, textAt } from '../json.ts'
import { type Repository, sha256 } from './client.ts'

export type Descriptor = {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

/** An image in an OCI layout folder: its digest and the number of bytes of its blobs. */
export type LayoutImage = {
  readonly folder: string
  readonly root: Descriptor
  /** Bytes of all blobs below the root, as compressed in the registry. */
  readonly size: number
}

const INDEX = /index|manifest\.list/

/** Reads an OCI image layout that holds exactly one image (or one index). */
export async function readLayout(folder: string): Promise<LayoutImage> {
  const text = await readFile(join(folder, 'index.json'), 'utf8')
  const found = listAt(parseJson(text, `${folder}/index.json`), 'manifests').map(descriptorOf)
  const [root] = found
  if (root === undefined || found.length > 1)
    throw new UserError(`${folder} holds ${found.length} images, one was expected`)
  const blobs = await blobsBelow(folder, root)
  return { folder, root, size: blobs.reduce((sum, blob) => sum + blob.size, 0) }
}

/** Pushes the very bytes of a layout: blobs first, then manifests from the leaves up, by digest only. */
export async function pushLayout(image: LayoutImage, repository: Repository): Promise<void> {
  await pushManifest(image.folder, image.root, repository)
}

/** Bytes of all blobs of an image in a registry, or undefined where any manifest of it is missing. */
export async function storedSize(
  digest: string,
  repository: Repository,
): Promise<number | undefined> {
  const manifest = await repository.getManifest(digest)
  if (manifest === undefined) return undefined
  let size = manifest.bytes.length
  for (const child of childrenOf(manifest.bytes, { ...manifest, size })) {
    const below = isManifest(child) ? await storedSize(child.digest, repository) : child.size
    if (below === undefined) return undefined
    size += below
  }
  return size
}

async function pushManifest(
  folder: string,
  descriptor: Descriptor,
  repository: Repository,
): Promise<void> {
  const bytes = await readBlob(folder, descriptor)
  for (const child of childrenOf(bytes, descriptor)) {
    if (isManifest(child)) await pushManifest(folder, child, repository)
    else
      await repository.putBlob({
        ...child,
        open: () => createReadStream(blobPath(folder, child.digest)),
      })
  }
  await repository.putManifest(descriptor.digest, { mediaType: descriptor.mediaType, bytes })
}

async function blobsBelow(folder: string, descriptor: Descriptor): Promise<Descriptor[]> {
  const bytes = await readBlob(folder, descriptor)
  const found: Descriptor[] = [descriptor]
  for (const child of childrenOf(bytes, descriptor)) {
    if (isManifest(child)) found.push(...(await blobsBelow(folder, child)))
    else {
      const { size } = await stat(blobPath(folder, child.digest))
      if (size !== child.size) throw damaged(folder, child)
      found.push(child)
    }
  }
  return found
}

async function readBlob(folder: string, descriptor: Descriptor): Promise<Buffer> {
  const bytes = await readFile(blobPath(folder, descriptor.digest))
  if (sha256(bytes) !== descriptor.digest) throw damaged(folder, descriptor)
  return bytes
}

function childrenOf(bytes: Buffer, descriptor: Descriptor): Descriptor[] {
  const manifest = parseJson(bytes.toString(), `manifest ${descriptor.digest}`)
  if (INDEX.test(descriptor.mediaType)) return listAt(manifest, 'manifests').map(descriptorOf)
  const config = isObject(manifest) ? [manifest['config']] : []
  return [...config, ...listAt(manifest, 'layers')].map(descriptorOf)
}

function isManifest(descriptor: Descriptor): boolean {
  return INDEX.test(descriptor.mediaType) || descriptor.mediaType.includes('manifest')
}

export function descriptorOf(value: unknown): Descriptor {
  const mediaType = textAt(value, 'mediaType')
  const digest = textAt(value, 'digest')
  const size = isObject(value) ? value['size'] : undefined
  if (mediaType === undefined || digest === undefined || typeof size !== 'number')
    throw new UserError('An OCI descriptor lacks its mediaType, digest or size')
  return { mediaType, digest, size }
}

function blobPath(folder: string, digest: string): string {
  return join(folder, 'blobs', ...digest.split(':'))
}

function damaged(folder: string, blob: Descriptor): UserError {
  return new UserError(`${folder} is damaged: ${blob.digest} has other bytes than it should`)
}
