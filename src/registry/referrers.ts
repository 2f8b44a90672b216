import { UserError } from '../errors.ts'
import { at, listAt, parseJson, textAt } from '../json.ts'
import type { Repository } from './client.ts'
import { type Descriptor, descriptorOf } from './descriptor.ts'
import { type Manifest, OCI_INDEX } from './manifest.ts'

/** A manifest that speaks about another one, as a list of such manifests names it. */
export type Referrer = Descriptor & {
  readonly type: string
  readonly annotations: Readonly<Record<string, unknown>>
}

const CREATED = 'org.opencontainers.image.created'
const WRITE_ATTEMPTS = 5
/** Time for another writer, who read the list before we wrote it, to write his. */
const LOOK_AGAIN_MS = 200
/** Registries that know no types of artifacts name that of the configuration: these say nothing. */
const SAYS_NOTHING =
  /^(|application\/vnd\.oci\.empty\.v1\+json|application\/vnd\.(oci\.image\.config|docker\.container\.image)\.v1\+json)$/

/**
 * The artifacts of `type` that speak about `subject`, oldest first: as they were written into the list under the fallback tag, or by
 * their annotation of creation where the registry lists them, for it has no order.
 */
export async function listReferrers(
  subject: string,
  type: string,
  repository: Repository,
): Promise<readonly string[]> {
  return (await findReferrers(subject, type, repository)).map(({ digest }) => digest)
}

/** The same with all that lists know, and of every type where `type` is undefined. */
export async function findReferrers(
  subject: string,
  type: string | undefined,
  repository: Repository,
): Promise<readonly Referrer[]> {
  const listing = await repository.getReferrers(subject, type)
  const entries = listing?.entries ?? (await readFallback(subject, repository))
  const found: Referrer[] = []
  for (const entry of entries) {
    const referrer = await describe(entry, listing?.filtered === true, repository)
    if (referrer !== undefined && (type === undefined || referrer.type === type))
      found.push(referrer)
  }
  if (listing === undefined || found.length < 2) return found
  const dated = await Promise.all(found.map((one) => withDate(one, repository)))
  return dated.sort((a, b) => createdAt(a) - createdAt(b))
}

/** Registries should copy annotations into their list; some do not. */
async function withDate(referrer: Referrer, repository: Repository): Promise<Referrer> {
  if (CREATED in referrer.annotations) return referrer
  const manifest = await repository.getManifest(referrer.digest)
  return manifest === undefined ? referrer : referrerOf(manifest)
}

/** An entry with its type and annotations; those of the manifest itself where the list does not say them. */
async function describe(
  entry: unknown,
  reliable: boolean,
  repository: Repository,
): Promise<Referrer | undefined> {
  const descriptor = descriptorOf(entry)
  const listed = textAt(entry, 'artifactType') ?? ''
  if (reliable || !SAYS_NOTHING.test(listed))
    return { ...descriptor, type: listed, annotations: annotationsOf(entry) }
  const manifest = await repository.getManifest(descriptor.digest)
  return manifest === undefined ? undefined : referrerOf(manifest)
}

/** A manifest as an entry of a list. Its type is its own, or that of its configuration (OCI image 1.1). */
export function referrerOf({ mediaType, digest, bytes }: Manifest): Referrer {
  const parsed = parseJson(bytes.toString(), `manifest ${digest}`)
  const type = textAt(parsed, 'artifactType') ?? textAt(parsed, 'config', 'mediaType') ?? ''
  return { mediaType, digest, size: bytes.length, type, annotations: annotationsOf(parsed) }
}

function annotationsOf(value: unknown): Readonly<Record<string, unknown>> {
  return { ...(at(value, 'annotations') as object | undefined) }
}

function createdAt({ annotations }: Referrer): number {
  const time = Date.parse(String(annotations[CREATED]))
  return Number.isNaN(time) ? 0 : time
}

/** Publishes a manifest that has a subject, and sees to it that it can be found there. */
export async function putReferrer(
  manifest: Manifest,
  subject: string,
  repository: Repository,
): Promise<void> {
  const stored = await repository.putManifest(manifest.digest, manifest)
  if (stored.subject === subject) return
  const tag = fallbackTag(subject)
  await repository.together(`${repository.name}:${tag}`, referrerOf(manifest), (referrers) =>
    addToFallback(referrers, subject, repository),
  )
}

/**
 * Adds referrers to the fallback tag `sha256-<hex>` (OCI distribution 1.1, "Referrers Tag Schema"), for registries that do not say that
 * they list it themselves. Nobody can lock a tag: two writers may collide, so it is looked at again and written again.
 */
async function addToFallback(
  referrers: readonly Referrer[],
  subject: string,
  repository: Repository,
): Promise<void> {
  const tag = fallbackTag(subject)
  for (let attempt = 1; attempt <= WRITE_ATTEMPTS; attempt += 1) {
    const entries = await readFallback(subject, repository)
    const known = new Set(entries.map((entry) => textAt(entry, 'digest')))
    const missing = new Map(
      referrers
        .filter(({ digest }) => !known.has(digest))
        .map(({ type, ...entry }) => [entry.digest, { ...entry, artifactType: type }]),
    )
    if (missing.size === 0) return
    const added = [...missing.values()]
    await putIndex(tag, [...entries, ...added], repository).catch(async (error: unknown) => {
      // Registries take no list that names what somebody has deleted since.
      const left = await stillThere(entries, repository)
      if (left.length === entries.length) throw error
      await putIndex(tag, [...left, ...added], repository)
    })
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS * (1 + Math.random())))
  }
  throw new UserError(`${repository.name}: other writers keep replacing ${tag}; run again`)
}

async function putIndex(
  tag: string,
  manifests: readonly unknown[],
  repository: Repository,
): Promise<void> {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }))
  await repository.putManifest(tag, { mediaType: OCI_INDEX, bytes })
}

async function stillThere(
  entries: readonly unknown[],
  repository: Repository,
): Promise<readonly unknown[]> {
  const found = await Promise.all(
    entries.map((entry) => repository.getManifest(textAt(entry, 'digest') ?? '')),
  )
  return entries.filter((_, at) => found[at] !== undefined)
}

async function readFallback(subject: string, repository: Repository): Promise<readonly unknown[]> {
  const index = await repository.getManifest(fallbackTag(subject))
  if (index === undefined) return []
  return listAt(parseJson(index.bytes.toString(), `the referrers of ${subject}`), 'manifests')
}

function fallbackTag(digest: string): string {
  return digest.replace(':', '-')
}
