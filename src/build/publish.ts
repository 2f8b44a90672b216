import { readFile } from 'node:fs/promises'
import { UserError } from '../errors.ts'
import { packArtifact, pushParts } from '../registry/artifact.ts'
import { openRepository, type Repository } from '../registry/client.ts'
import { type Descriptor, type LayoutImage, pushLayout } from '../registry/layout.ts'
import { parseReference } from '../registry/reference.ts'
import { listReferrers, putReferrer } from '../registry/referrers.ts'
import { doAtOnce } from '../registry/several.ts'
import type { ImageSet } from '../release/imageset.ts'
import type { Release } from '../release/release.ts'
import type { Scan } from '../scan/scanner.ts'
import type { World } from '../world.ts'
import type { KeyOfTarget } from './inputkey.ts'
import { keyTag, NEWEST_TAG } from './reuse.ts'

/** syft's own JSON, as its command `attest` names it. */
export const SBOM_TYPE = 'application/vnd.syft+json'
const TAG_DIGITS = 12

/** An image that is in the registry, and what was found in it. */
export type StoredImage = {
  readonly name: string
  readonly reference: string
  /** Its manifest. */
  readonly subject: Descriptor
  readonly scan: Scan
}

/** Pushes what is new by digest, and reads every image back. */
export async function publishImages(
  what: {
    readonly images: ImageSet
    readonly layouts: ReadonlyMap<string, LayoutImage>
    readonly scans: readonly Scan[]
  },
  world: World,
): Promise<readonly StoredImage[]> {
  const published: StoredImage[] = []
  await doAtOnce(Object.entries(what.images.images), async ([name, { reference, digest }]) => {
    const scan = what.scans.find(({ image }) => image === name)
    if (scan?.digest !== digest) throw new TypeError(`${name} was not scanned`)
    const layout = what.layouts.get(name)
    const repository = openRepository(parseReference(reference), world.signal)
    if (layout !== undefined) await pushLayout(layout, repository)
    const subject = await describe(digest, repository)
    published.push({ name, reference, subject, scan })
    world.progress.say(`${name}: ${digest}${layout === undefined ? ' (was there)' : ''}`)
  })
  return published
}

/** The tag of a release and of its images. It is for people: nothing is read by it. */
export function releaseTag(release: Release): string {
  return `release-${release.digest.slice('sha256:'.length).slice(0, TAG_DIGITS)}`
}

/**
 * Tags the images of a release that is there. Its tag keeps clean-ups that remove untagged versions away from what may be deployed. The
 * tags of input keys lead later builds to an image, which they then believe by its signature only.
 */
export async function tagImages(
  release: Release,
  keys: ReadonlyMap<string, KeyOfTarget>,
  signal: AbortSignal,
): Promise<void> {
  await doAtOnce(Object.entries(release.images.images), async ([name, { reference }]) => {
    const key = keys.get(name)
    const keyTags = key === undefined || 'doubts' in key ? [] : [keyTag(key), NEWEST_TAG]
    await writeTagsOf(reference, [releaseTag(release), ...keyTags], signal)
  })
}

async function writeTagsOf(
  reference: string,
  tags: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const place = parseReference(reference)
  const repository = openRepository(place, signal)
  const manifest = await repository.getManifest(place.digest ?? '')
  if (manifest === undefined)
    throw new UserError(`${reference} is not in the registry any more; run again`)
  for (const tag of tags) await repository.putManifest(tag, manifest)
}

/**
 * Keeps the SBOM of each platform of an image beside the manifest of that platform. One at a time is in memory: all those of a run would
 * not fit into what it may have.
 */
export async function keepSboms(image: StoredImage, world: World): Promise<void> {
  const repository = openRepository(parseReference(image.reference), world.signal)
  for (const { digest, file } of image.scan.sboms) {
    const stored =
      digest === image.subject.digest ? image.subject : await describe(digest, repository)
    await keepSbom(file, stored, repository)
  }
}

/** Reads a manifest back. */
async function describe(digest: string, repository: Repository): Promise<Descriptor> {
  const stored = await repository.getManifest(digest)
  if (stored === undefined)
    throw new UserError(
      `${repository.name}@${digest} is not in the registry after the push; run again`,
    )
  return { mediaType: stored.mediaType, digest, size: stored.bytes.length }
}

async function keepSbom(file: string, subject: Descriptor, repository: Repository): Promise<void> {
  // Another one may be there, of an earlier build of the same bytes: the provenance names this one.
  const known = await listReferrers(subject.digest, SBOM_TYPE, repository)
  const manifest = await repository.inTurn('SBOM', async () => {
    const content = await readFile(file)
    const form = { type: SBOM_TYPE, mediaType: SBOM_TYPE, content, annotations: {} }
    const packed = packArtifact({ ...form, subject })
    if (known.includes(packed.manifest.digest)) return undefined
    await pushParts(packed, repository)
    return packed.manifest
  })
  if (manifest !== undefined) await putReferrer(manifest, subject.digest, repository)
}
