import { readFile } from 'node:fs/promises'
import { UserError } from '../errors.ts'
import { listReferrers, packArtifact, pushArtifact } from '../registry/artifact.ts'
import { openRepository, type Repository } from '../registry/client.ts'
import { type LayoutImage, pushLayout } from '../registry/layout.ts'
import { parseReference } from '../registry/reference.ts'
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

/** Pushes what is new by digest, reads every image back, and keeps its SBOM beside it. */
export async function publishImages(
  what: {
    readonly images: ImageSet
    readonly layouts: ReadonlyMap<string, LayoutImage>
    readonly scans: readonly Scan[]
    /** Images that were used again: their SBOMs came from where they are. */
    readonly reused: ReadonlySet<string>
  },
  world: World,
): Promise<void> {
  await doAtOnce(Object.entries(what.images.images), async ([name, image]) => {
    const layout = what.layouts.get(name)
    const repository = openRepository(parseReference(image.reference), world.signal)
    if (layout !== undefined) await pushLayout(layout, repository)
    const stored = await repository.getManifest(image.digest)
    if (stored?.digest !== image.digest)
      throw new UserError(`${image.reference} is not in the registry after the push; run again`)
    const subject = { ...stored, size: stored.bytes.length }
    const scan = what.scans.find(({ image: scanned }) => scanned === name)
    if (scan !== undefined && !what.reused.has(name)) await keepSbom(scan, subject, repository)
    world.progress.say(`${name}: ${image.digest}${layout === undefined ? ' (was there)' : ''}`)
  })
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

async function keepSbom(
  scan: Scan,
  subject: { readonly mediaType: string; readonly digest: string; readonly size: number },
  repository: Repository,
): Promise<void> {
  const { mediaType, digest, size } = subject
  const content = await readFile(scan.sbomFile)
  const form = { type: SBOM_TYPE, mediaType: SBOM_TYPE, content, annotations: {} }
  const artifact = { ...form, subject: { mediaType, digest, size } }
  // Another one may be there, of an earlier build of the same bytes: the provenance names this one.
  const known = await listReferrers(digest, SBOM_TYPE, repository)
  if (known.includes(packArtifact(artifact).manifest.digest)) return
  await pushArtifact(artifact, repository)
}
