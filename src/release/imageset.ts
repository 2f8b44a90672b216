import { refuse, UserError } from '../errors.ts'
import { isObject, parseJson, textAt } from '../json.ts'
import { isDigest, parseReference } from '../registry/reference.ts'

/**
 * One image of a set. What is known about it (SBOM, findings, verdicts) is evidence attached to its digest in the registry,
 * not part of this: a later scan adds evidence and must not make another release.
 */
export type LockedImage = {
  /** `registry/repository@sha256:…`: what is deployed. */
  readonly reference: string
  readonly digest: string
  /** Compressed bytes of all blobs. */
  readonly size: number
}

/** The images that belong together, by the name that manifests use. Written as `images.lock.json`. */
export type ImageSet = {
  readonly version: 1
  readonly images: Readonly<Record<string, LockedImage>>
}

export const LOCK_FILE = 'images.lock.json'

/** Reads the text of an `images.lock.json`; every fault is reported at once. */
export function parseImageSet(text: string, what: string): ImageSet {
  const data = parseJson(text, what)
  if (!isObject(data) || data['version'] !== 1 || !isObject(data['images']))
    throw new UserError(`${what} is not an image lock file of version 1`)
  const problems: string[] = []
  for (const [name, image] of Object.entries(data['images'])) {
    const reference = textAt(image, 'reference') ?? ''
    const digest = textAt(image, 'digest') ?? ''
    if (!isDigest(digest)) problems.push(`${name}: "${digest}" is not a digest`)
    else if (digestOf(reference) !== digest)
      problems.push(`${name}: the reference ${reference} does not end in ${digest}`)
  }
  if (problems.length > 0) refuse(what, problems)
  return data as ImageSet
}

/** Deterministic text: the same set is the same bytes, so the same release. */
export function formatImageSet(set: ImageSet): string {
  const images = Object.fromEntries(Object.entries(set.images).sort(([a], [b]) => (a < b ? -1 : 1)))
  return `${JSON.stringify({ version: set.version, images }, null, 2)}\n`
}

/** The digest of a reference; undefined where it has none or is no reference. */
function digestOf(reference: string): string | undefined {
  try {
    return parseReference(reference).digest
  } catch {
    return undefined // The caller names it among the other faults.
  }
}
