import { UserError } from '../errors.ts'
import { listReferrers, packArtifact, pullArtifact, pushParts } from '../registry/artifact.ts'
import type { Manifest, Repository } from '../registry/client.ts'
import type { Descriptor } from '../registry/layout.ts'
import { putReferrer } from '../registry/referrers.ts'
import type { Signer } from './signer.ts'
import type { Statement } from './statement.ts'
import { type Trust, verifyBundle } from './verifier.ts'

/** As cosign stores attestations of its new format: the bundle is the artifact, its annotations say what is in it. */
const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json'
const PREDICATE_TYPE = 'dev.sigstore.bundle.predicateType'

type Beside = {
  readonly subject: Descriptor
  readonly repository: Repository
  readonly at: Date
}

/** Signs a statement and stores it beside `subject`, which must be among what it is about. Returns the digest of the attestation. */
export async function attach(statement: Statement, to: Beside, signer: Signer): Promise<string> {
  const manifest = await storeSigned(statement, to, signer)
  await putReferrer(manifest, to.subject.digest, to.repository)
  return manifest.digest
}

/** Signs a statement and stores its bytes. They are not beside `subject` before the manifest is, which this returns. */
export async function storeSigned(
  statement: Statement,
  { subject, repository, at }: Beside,
  signer: Signer,
): Promise<Manifest> {
  if (!statement.subjects.some(({ digest }) => digest === subject.digest))
    throw new TypeError(`the statement is not about ${subject.digest}`)
  const content = Buffer.from(await signer.sign(statement))
  const { mediaType, digest, size } = subject
  const packed = packArtifact({
    type: BUNDLE_TYPE,
    mediaType: BUNDLE_TYPE,
    content,
    annotations: {
      'dev.sigstore.bundle.content': 'dsse-envelope',
      [PREDICATE_TYPE]: statement.predicateType,
      'org.opencontainers.image.created': at.toISOString(),
    },
    subject: { mediaType, digest, size },
  })
  await pushParts(packed, repository)
  return packed.manifest
}

/**
 * The statements of one type about `digest` that are signed by one who is trusted, oldest first. What others have signed, or what is
 * about something else, is left out: anybody who may write to the registry can put it there.
 */
export async function readAttestations(
  digest: string,
  predicateType: string,
  by: { readonly trust: Trust; readonly repository: Repository },
): Promise<readonly Statement[]> {
  const { trust, repository } = by
  const stored = await listReferrers(digest, BUNDLE_TYPE, repository)
  const read = await Promise.all(
    stored.map(async (one): Promise<readonly Statement[]> => {
      const artifact = await pullArtifact(
        one,
        repository,
        (annotations) => annotations[PREDICATE_TYPE] === predicateType,
      )
      if (artifact === undefined) return []
      const statement = await believed(artifact.content.toString(), trust, one)
      const isAbout = statement?.subjects.some((subject) => subject.digest === digest) ?? false
      return statement?.predicateType === predicateType && isAbout ? [statement] : []
    }),
  )
  return read.flat()
}

async function believed(text: string, trust: Trust, what: string): Promise<Statement | undefined> {
  try {
    return await verifyBundle(text, trust, what)
  } catch (error) {
    // Somebody else's statement is no fault; it counts as if it were not there.
    if (error instanceof UserError) return undefined
    throw error
  }
}
