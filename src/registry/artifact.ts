import { UserError } from '../errors.ts'
import { isObject, listAt, parseJson, textAt } from '../json.ts'
import { type Repository, sha256 } from './client.ts'
import { type Descriptor, descriptorOf } from './layout.ts'

/** One OCI artifact with one layer. `subject` ties it to the manifest it speaks about (OCI 1.1 referrers). */
export type Artifact = {
  readonly type: string
  readonly mediaType: string
  readonly content: Buffer
  readonly annotations: Readonly<Record<string, string>>
  readonly subject?: Descriptor
}

export type StoredArtifact = Artifact & { readonly digest: string; readonly manifest: Descriptor }

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
const EMPTY = Buffer.from('{}')
/** A release is manifests and a lock file, a statement is a page: far below this. */
const CONTENT_LIMIT = 64 * 1024 * 1024
const WRITE_ATTEMPTS = 5

/** Publishes an artifact by digest and returns its descriptor. The same artifact always has the same digest. */
export async function pushArtifact(
  artifact: Artifact,
  repository: Repository,
): Promise<Descriptor> {
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
  await repository.putBlob({ ...config, open: () => EMPTY })
  await repository.putBlob({ ...layer, open: () => artifact.content })
  const digest = sha256(bytes)
  await repository.putManifest(digest, { mediaType: OCI_MANIFEST, bytes })
  const descriptor = { mediaType: OCI_MANIFEST, digest, size: bytes.length }
  if (artifact.subject !== undefined)
    await listReferrer(artifact.subject.digest, { ...descriptor, ...artifact }, repository)
  return descriptor
}

/** Reads an artifact by digest, or undefined where the repository has none. */
export async function pullArtifact(
  digest: string,
  repository: Repository,
): Promise<StoredArtifact | undefined> {
  const manifest = await repository.getManifest(digest)
  if (manifest === undefined) return undefined
  const parsed = parseJson(manifest.bytes.toString(), `${repository.name}@${digest}`)
  const [layer, ...more] = listAt(parsed, 'layers').map(descriptorOf)
  if (layer === undefined || more.length > 0)
    throw new UserError(`${repository.name}@${digest} is not an artifact of ours`)
  const annotations =
    isObject(parsed) && isObject(parsed['annotations']) ? parsed['annotations'] : {}
  return {
    digest,
    manifest: { mediaType: manifest.mediaType, digest, size: manifest.bytes.length },
    type: textAt(parsed, 'artifactType') ?? '',
    mediaType: layer.mediaType,
    content: await repository.getBlob(layer.digest, CONTENT_LIMIT),
    annotations: annotations as Record<string, string>,
  }
}

/** The artifacts of `type` that speak about `subject`, in the order they were written. */
export async function listReferrers(
  subject: string,
  type: string,
  repository: Repository,
): Promise<readonly string[]> {
  const index = await readReferrers(subject, repository)
  return index
    .filter((entry) => textAt(entry, 'artifactType') === type)
    .map((entry) => descriptorOf(entry).digest)
}

/**
 * Adds a referrer to the fallback tag `sha256-<hex>` (OCI distribution 1.1, "Referrers Tag Schema"): registries without the
 * referrers API, GHCR among them, need it. Two writers may collide, so it is read back and written again.
 */
async function listReferrer(
  subject: string,
  entry: Descriptor & Artifact,
  repository: Repository,
): Promise<void> {
  const tag = fallbackTag(subject)
  for (let attempt = 1; attempt <= WRITE_ATTEMPTS; attempt += 1) {
    const entries = await readReferrers(subject, repository)
    if (entries.some((known) => textAt(known, 'digest') === entry.digest)) return
    const { mediaType, digest, size, type, annotations } = { ...entry, mediaType: OCI_MANIFEST }
    const manifests = [...entries, { mediaType, digest, size, artifactType: type, annotations }]
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }))
    await repository.putManifest(tag, { mediaType: OCI_INDEX, bytes })
  }
  throw new UserError(`${repository.name}: other writers keep replacing ${tag}; run again`)
}

async function readReferrers(subject: string, repository: Repository): Promise<readonly unknown[]> {
  const index = await repository.getManifest(fallbackTag(subject))
  if (index === undefined) return []
  return listAt(parseJson(index.bytes.toString(), `the referrers of ${subject}`), 'manifests')
}

function fallbackTag(digest: string): string {
  return digest.replace(':', '-')
}
