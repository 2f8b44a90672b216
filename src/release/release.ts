import { lstat, readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { UserError } from '../errors.ts'
import { packArtifact, pullArtifact, pushParts } from '../registry/artifact.ts'
import { openRepository } from '../registry/client.ts'
import type { Descriptor } from '../registry/layout.ts'
import { formatReference, requireDigest } from '../registry/reference.ts'
import { type Files, packFiles, unpackFiles } from './archive.ts'
import { formatImageSet, type ImageSet, LOCK_FILE, parseImageSet } from './imageset.ts'

/** What flows from commit to production: images by digest and the manifests of the same commit. */
export type Release = {
  /** `registry/repository@sha256:…`; the digest is the identity of the release. */
  readonly reference: string
  readonly digest: string
  readonly descriptor: Descriptor
  readonly images: ImageSet
  /** The `k8s/` tree, paths relative to it. */
  readonly manifests: Files
  /** The commit it was made from, or an empty text. */
  readonly revision: string
}

export const RELEASE_TYPE = 'application/vnd.todo-deploy.release.v1+json'
const RELEASE_LAYER = 'application/vnd.todo-deploy.release.v1.tar+gzip'
const TREE = 'k8s/'
const FILE_LIMIT = 1024 * 1024

export type ReleaseContent = {
  readonly images: ImageSet
  readonly manifests: Files
  readonly revision: string
}

type Place = { readonly registry: string; readonly repository: string }

/**
 * Uploads all parts of a release but the one that makes it one. `appear` is a single request: before it nobody can find the release,
 * after it everybody finds the whole of it under the tag (or digest) that is given. The same inputs give the same digest.
 */
export async function prepareRelease(
  content: ReleaseContent,
  place: Place,
  signal: AbortSignal,
): Promise<{ readonly release: Release; readonly appear: (tag: string) => Promise<void> }> {
  const files = new Map([...content.manifests].map(([name, bytes]) => [`${TREE}${name}`, bytes]))
  files.set(LOCK_FILE, Buffer.from(formatImageSet(content.images)))
  const packed = packArtifact({
    type: RELEASE_TYPE,
    mediaType: RELEASE_LAYER,
    content: await packFiles(files),
    annotations:
      content.revision === '' ? {} : { 'org.opencontainers.image.revision': content.revision },
  })
  const repository = openRepository(place, signal)
  await pushParts(packed, repository)
  const { descriptor, manifest } = packed
  const reference = formatReference({ ...place, digest: descriptor.digest })
  return {
    release: { reference, digest: descriptor.digest, descriptor, ...content },
    appear: async (tag) => {
      await repository.putManifest(tag, manifest)
    },
  }
}

/** Pulls a release by digest; every byte is checked against it. */
export async function pullRelease(reference: string, signal: AbortSignal): Promise<Release> {
  const parsed = requireDigest(reference)
  const artifact = await pullArtifact(parsed.digest, openRepository(parsed, signal))
  if (artifact === undefined)
    throw new UserError(
      `${reference} is not in the registry; give the release output of build-images`,
    )
  if (artifact.type !== RELEASE_TYPE)
    throw new UserError(`${reference} is no release (it is ${artifact.type || 'an image'})`)
  const files = await unpackFiles(artifact.content)
  const lock = files.get(LOCK_FILE)
  if (lock === undefined) throw new UserError(`${reference} holds no ${LOCK_FILE}`)
  const manifests = new Map(
    [...files]
      .filter(([name]) => name.startsWith(TREE))
      .map(([name, bytes]) => [name.slice(TREE.length), bytes]),
  )
  return {
    reference: formatReference(parsed),
    digest: parsed.digest,
    descriptor: artifact.manifest,
    images: parseImageSet(lock.toString(), `${LOCK_FILE} of ${reference}`),
    manifests,
    revision: artifact.annotations['org.opencontainers.image.revision'] ?? '',
  }
}

/** Reads a manifest tree from a folder. Links are refused: a release must be complete in itself. */
export async function readManifests(folder: string): Promise<Files> {
  const files = new Map<string, Buffer>()
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: unknown) => {
      throw new UserError(`The manifest folder ${folder} can't be read`, [], { cause: error })
    },
  )
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    const name = relative(folder, path).split(sep).join('/')
    if (entry.isDirectory()) continue
    if (!entry.isFile()) throw new UserError(`${name} is a link; a release holds files only`)
    const { size } = await lstat(path)
    if (size > FILE_LIMIT) throw new UserError(`${name} has ${size} bytes; the limit is 1 MiB`)
    files.set(name, await readFile(path))
  }
  return files
}
