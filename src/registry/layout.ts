import { createReadStream } from 'node:fs'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '../errors.ts'
import { listAt, parseJson } from '../json.ts'
import { type Repository, sha256 } from './client.ts'
import { type Descriptor, descriptorOf } from './descriptor.ts'
import { readTree, type Tree } from './manifest.ts'
import { saveFile } from './save.ts'
import { doAtOnce } from './several.ts'

export type { Descriptor }

/** An image in an OCI layout folder: its digest and the number of bytes of its blobs. */
export type LayoutImage = {
  readonly folder: string
  readonly root: Descriptor
  /** Bytes of all blobs below the root, each once, as compressed in the registry. */
  readonly size: number
}

/** Pieces of a file are large: fewer turns for a layer of a gigabyte. */
const PIECE = 256 * 1024

/** Reads an OCI image layout that holds exactly one image (or one index). Every blob is there, and manifests are checked. */
export async function readLayout(folder: string): Promise<LayoutImage> {
  const text = await readFile(join(folder, 'index.json'), 'utf8')
  const found = listAt(parseJson(text, `${folder}/index.json`), 'manifests').map(descriptorOf)
  const [root] = found
  if (root === undefined || found.length > 1)
    throw new UserError(`${folder} holds ${found.length} images, one was expected`)
  const { blobs, size } = await treeOf({ folder, root })
  for (const blob of blobs) {
    const file = await stat(blobPath(folder, blob.digest)).catch(() => undefined)
    if (file?.size !== blob.size) throw damaged(folder, blob)
  }
  return { folder, root, size }
}

/** Pushes the very bytes of a layout: blobs first, then manifests from the leaves up, by digest only. */
export async function pushLayout(
  { folder, root }: LayoutImage,
  repository: Repository,
): Promise<void> {
  const { blobs, manifests } = await treeOf({ folder, root })
  await doAtOnce(blobs, (blob) =>
    repository.putBlob({
      ...blob,
      open: (start) =>
        createReadStream(blobPath(folder, blob.digest), { start, highWaterMark: PIECE }),
    }),
  )
  for (const { descriptor, bytes } of manifests)
    await repository.putManifest(descriptor.digest, { mediaType: descriptor.mediaType, bytes })
}

/**
 * Fetches an image as an OCI layout into a folder, and returns it, or undefined where the repository lacks a manifest of it. A blob
 * gets its name only when it is whole and right.
 */
export async function pullLayout(
  digest: string,
  repository: Repository,
  folder: string,
): Promise<LayoutImage | undefined> {
  const found = await storedTree(digest, repository)
  if (found === undefined) return undefined
  const { root, tree } = found
  await mkdir(dirname(blobPath(folder, digest)), { recursive: true })
  await doAtOnce(tree.blobs, (blob) =>
    saveFile(blobPath(folder, blob.digest), repository.readBlob(blob)),
  )
  for (const { descriptor, bytes } of tree.manifests)
    await saveFile(blobPath(folder, descriptor.digest), bytes)
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}\n')
  const index = { schemaVersion: 2, manifests: [root] }
  await writeFile(join(folder, 'index.json'), `${JSON.stringify(index)}\n`)
  return { folder, root, size: tree.size }
}

/** Bytes of all blobs of an image in a registry, or undefined where any manifest of it is missing. */
export async function storedSize(
  digest: string,
  repository: Repository,
): Promise<number | undefined> {
  return (await storedTree(digest, repository))?.tree.size
}

/** An image as a repository has it, or undefined where any manifest of it is missing. */
export async function storedTree(
  digest: string,
  repository: Repository,
): Promise<{ readonly root: Descriptor; readonly tree: Tree } | undefined> {
  const first = await repository.getManifest(digest)
  if (first === undefined) return undefined
  const root = { mediaType: first.mediaType, digest, size: first.bytes.length }
  const tree = await readTree(root, async (descriptor) => {
    const manifest =
      descriptor.digest === digest ? first : await repository.getManifest(descriptor.digest)
    if (manifest !== undefined && manifest.bytes.length !== descriptor.size)
      throw new UserError(
        `${repository.name}: ${descriptor.digest} has another size than its index says; refused`,
      )
    return manifest?.bytes
  })
  return tree === undefined ? undefined : { root, tree }
}

/** The manifests and blobs of a layout. Throws `UserError` where a manifest is missing or has other bytes than it should. */
export async function treeOf({
  folder,
  root,
}: Pick<LayoutImage, 'folder' | 'root'>): Promise<Tree> {
  const tree = await readTree(root, async (descriptor) => {
    const bytes = await readFile(blobPath(folder, descriptor.digest)).catch(() => undefined)
    if (bytes === undefined || sha256(bytes) !== descriptor.digest)
      throw damaged(folder, descriptor)
    return bytes
  })
  if (tree === undefined) throw damaged(folder, root)
  return tree
}

/** Where a layout folder has a blob. */
export function blobPath(folder: string, digest: string): string {
  return join(folder, 'blobs', ...digest.split(':'))
}

function damaged(folder: string, blob: Descriptor): UserError {
  return new UserError(
    `${folder} is damaged: ${blob.digest} is missing or has other bytes than it should`,
  )
}
