import { UserError } from '../errors.ts'
import { at, isObject, listAt, parseJson, textAt } from '../json.ts'
import { type Descriptor, descriptorOf, isElsewhere, isIndex, isManifest } from './descriptor.ts'
import { sha256 } from './digest.ts'

/** What a registry holds under a digest or a tag. */
export type Manifest = {
  readonly digest: string
  readonly mediaType: string
  readonly bytes: Buffer
}

/** A manifest is a page of JSON; more than this is an attack or a mistake. Registries have the same limit. */
export const MANIFEST_LIMIT = 4 * 1024 * 1024
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
export const MANIFEST_TYPES: readonly string[] = [
  OCI_INDEX,
  OCI_MANIFEST,
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]

/** An index of indexes of platforms is the most that tools make. */
const DEPTH = 4
const MANIFESTS = 1000
const BLOBS = 10_000
/** A configuration is read into memory by everybody who runs the image. */
const CONFIG_LIMIT = 8 * 1024 * 1024

/**
 * Checks what a registry sent as a manifest: it is JSON, of one meaning, and of the type that the registry says. Throws `UserError`
 * where it is not, or has another digest than it was asked by.
 */
export function checkManifest(
  sent: { readonly bytes: Buffer; readonly contentType: string },
  reference: string,
  name: string,
): Manifest {
  const type = sent.contentType.split(';')[0]?.trim().toLowerCase() ?? ''
  if (type === 'text/html')
    throw new UserError(
      `${name}: a web page came instead of a manifest; check the address, and whether a proxy wants a login`,
    )
  const digest = sha256(sent.bytes)
  if (reference.startsWith('sha256:') && reference !== digest)
    throw new UserError(`${name}: asked for ${reference}, the registry sent ${digest}; refused`)
  const parsed = parseJson(sent.bytes.toString(), `the manifest ${name}`)
  const declared = textAt(parsed, 'mediaType')
  if (declared !== undefined && MANIFEST_TYPES.includes(type) && type !== declared)
    throw new UserError(
      `${name}: ${digest} says that it is ${declared}, the registry says ${type}; refused`,
    )
  const twofold = isObject(parsed) && 'manifests' in parsed && 'layers' in parsed
  if (twofold)
    throw new UserError(`${name}: ${digest} is an image and an index at the same time; refused`)
  return { digest, mediaType: declared ?? type, bytes: sent.bytes }
}

/** Everything below a manifest, each once: manifests from the leaves up to the root itself, and blobs. */
export type Tree = {
  readonly manifests: readonly { readonly descriptor: Descriptor; readonly bytes: Buffer }[]
  readonly blobs: readonly Descriptor[]
  /** Bytes of all of it. */
  readonly size: number
}

/**
 * Follows a manifest down to its blobs. `read` gives the bytes of a manifest, already checked against its digest, or undefined where
 * it is missing; then there is no tree. Throws `UserError` for one that never seems to end.
 */
export async function readTree(
  root: Descriptor,
  read: (descriptor: Descriptor) => Promise<Buffer | undefined>,
): Promise<Tree | undefined> {
  const manifests = new Map<string, { descriptor: Descriptor; bytes: Buffer }>()
  const blobs = new Map<string, Descriptor>()
  const descend = async (descriptor: Descriptor, depth: number): Promise<boolean> => {
    if (manifests.has(descriptor.digest)) return true
    if (depth > DEPTH) throw endless(root, `it is deeper than ${DEPTH} levels`)
    const bytes = await read(descriptor)
    if (bytes === undefined) return false
    for (const child of childrenOf(bytes, descriptor)) {
      if (isManifest(child)) {
        if (!(await descend(child, depth + 1))) return false
      } else if (!isElsewhere(child)) blobs.set(child.digest, child)
      if (manifests.size >= MANIFESTS) throw endless(root, `it has over ${MANIFESTS} manifests`)
      if (blobs.size > BLOBS) throw endless(root, `it has over ${BLOBS} blobs`)
    }
    manifests.set(descriptor.digest, { descriptor, bytes })
    return true
  }
  if (!(await descend(root, 1))) return undefined
  const found = [...manifests.values()]
  const all = [...found.map(({ descriptor }) => descriptor), ...blobs.values()]
  const size = all.reduce((sum, { size }) => sum + size, 0)
  return { manifests: found, blobs: [...blobs.values()], size }
}

function childrenOf(bytes: Buffer, descriptor: Descriptor): readonly Descriptor[] {
  const manifest = parseJson(bytes.toString(), `manifest ${descriptor.digest}`)
  if (isIndex(descriptor)) return listAt(manifest, 'manifests').map(descriptorOf)
  const config = descriptorOf(at(manifest, 'config'))
  if (config.size > CONFIG_LIMIT)
    throw new UserError(
      `The configuration ${config.digest} has ${config.size} bytes; the limit is ${CONFIG_LIMIT}`,
    )
  return [config, ...listAt(manifest, 'layers').map(descriptorOf)]
}

function endless(root: Descriptor, why: string): UserError {
  return new UserError(`The image ${root.digest} is refused: ${why}`)
}
