import { UserError } from '../errors.ts'
import { isObject, listAt, parseJson, textAt } from '../json.ts'
import { type Repository, sha256 } from './client.ts'
import { type Descriptor, descriptorOf } from './descriptor.ts'
import { type Manifest, OCI_MANIFEST } from './manifest.ts'
import { putReferrer } from './referrers.ts'

export { listReferrers } from './referrers.ts'

/** One OCI artifact with one layer. `subject` ties it to the manifest it speaks about (OCI 1.1 referrers). */
export type Artifact = {
  readonly type: string
  readonly mediaType: string
  readonly content: Buffer
  readonly annotations: Readonly<Record<string, string>>
  readonly subject?: Descriptor
}

export type StoredArtifact = Artifact & { readonly digest: string; readonly manifest: Descriptor }

const EMPTY = Buffer.from('{}')
/** A release is manifests and a lock file, a statement is a page: far below this. */
const CONTENT_LIMIT = 64 * 1024 * 1024

/** An artifact as it is stored: its parts, and the manifest that names them. */
export type PackedArtifact = {
  readonly descriptor: Descriptor
  readonly manifest: Manifest
  readonly blobs: readonly {
    readonly digest: string
    readonly size: number
    readonly content: Buffer
  }[]
}

/** Writes the manifest of an artifact. The same artifact always has the same digest. */
export function packArtifact(artifact: Artifact): PackedArtifact {
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: sha256(EMPTY), size: 2 }
  const layer = {
    mediaType: artifact.mediaType,
    digest: sha256(artifact.content),
    size: artifact.content.length,
  }
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType: artifact.type,
      config,
      layers: [layer],
      ...(artifact.subject === undefined ? {} : { subject: artifact.subject }),
      annotations: artifact.annotations,
    }),
  )
  const manifest = { mediaType: OCI_MANIFEST, digest: sha256(bytes), bytes }
  return {
    descriptor: { mediaType: OCI_MANIFEST, digest: manifest.digest, size: bytes.length },
    manifest,
    blobs: [
      { digest: config.digest, size: config.size, content: EMPTY },
      { digest: layer.digest, size: layer.size, content: artifact.content },
    ],
  }
}

/** Uploads the parts of an artifact. It does not exist before its manifest does. */
export async function pushParts(packed: PackedArtifact, repository: Repository): Promise<void> {
  for (const { digest, size, content } of packed.blobs)
    await repository.putBlob({ digest, size, open: () => content })
}

/** Publishes an artifact by digest and returns its descriptor. */
export async function pushArtifact(
  artifact: Artifact,
  repository: Repository,
): Promise<Descriptor> {
  const packed = packArtifact(artifact)
  await pushParts(packed, repository)
  const { descriptor, manifest } = packed
  if (artifact.subject === undefined) await repository.putManifest(manifest.digest, manifest)
  else await putReferrer(manifest, artifact.subject.digest, repository)
  return descriptor
}

/**
 * Reads an artifact by digest, or undefined where the repository has none. One whose annotations are not `wanted` is left out, too: its
 * content, which may be large, is not fetched.
 */
export async function pullArtifact(
  digest: string,
  repository: Repository,
  wanted: (annotations: Readonly<Record<string, unknown>>) => boolean = () => true,
): Promise<StoredArtifact | undefined> {
  const manifest = await repository.getManifest(digest)
  if (manifest === undefined) return undefined
  const parsed = parseJson(manifest.bytes.toString(), `${repository.name}@${digest}`)
  const [layer, ...more] = listAt(parsed, 'layers').map(descriptorOf)
  if (layer === undefined || more.length > 0)
    throw new UserError(`${repository.name}@${digest} is not an artifact of ours`)
  const annotations =
    isObject(parsed) && isObject(parsed['annotations']) ? parsed['annotations'] : {}
  if (!wanted(annotations)) return undefined
  return {
    digest,
    manifest: { mediaType: manifest.mediaType, digest, size: manifest.bytes.length },
    type: textAt(parsed, 'artifactType') ?? '',
    mediaType: layer.mediaType,
    content: await repository.getBlob(layer.digest, CONTENT_LIMIT),
    annotations: annotations as Record<string, string>,
  }
}
