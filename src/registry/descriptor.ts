import { UserError } from '../errors.ts'
import { isObject, textAt } from '../json.ts'
import { isDigest } from './reference.ts'

/** Names content by its digest (OCI image specification, "Content Descriptors"). */
export type Descriptor = {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

/**
 * Reads a descriptor. Throws `UserError` where a part is missing or is none: a digest becomes the name of a file, so it must be
 * one to the letter.
 */
export function descriptorOf(value: unknown): Descriptor {
  const mediaType = textAt(value, 'mediaType')
  const digest = textAt(value, 'digest')
  const size = isObject(value) ? value['size'] : undefined
  if (mediaType === undefined || digest === undefined || typeof size !== 'number')
    throw new UserError('An OCI descriptor lacks its mediaType, digest or size')
  if (!isDigest(digest))
    throw new UserError(`An OCI descriptor has a digest that is not of sha256: ${shown(digest)}`)
  if (!Number.isSafeInteger(size) || size < 0)
    throw new UserError(`An OCI descriptor of ${digest} has the size ${size}, which is none`)
  return { mediaType, digest, size }
}

const INDEX = /index|manifest\.list/
/** Layers that only their makers may hand out: they are named by an address, and no registry has to hold them. */
const ELSEWHERE = /nondistributable|foreign/

export function isIndex(descriptor: Descriptor): boolean {
  return INDEX.test(descriptor.mediaType)
}

export function isManifest(descriptor: Descriptor): boolean {
  return isIndex(descriptor) || descriptor.mediaType.includes('manifest')
}

export function isElsewhere(descriptor: Descriptor): boolean {
  return ELSEWHERE.test(descriptor.mediaType)
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 80))
}
