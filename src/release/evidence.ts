import { UserError } from '../errors.ts'
import { at, parseJson } from '../json.ts'
import { listReferrers, pullArtifact, pushArtifact } from '../registry/artifact.ts'
import { openRepository } from '../registry/client.ts'
import { parseReference } from '../registry/reference.ts'
import type { Release } from './release.ts'

/** What is said about a release. Stored beside it in the registry as an in-toto statement about its digest. */
export type EvidenceKind = 'verdict' | 'promotion'

const STATEMENT = 'https://in-toto.io/Statement/v1'
const MEDIA_TYPE = 'application/vnd.in-toto+json'

/** Adds a statement about `release`. Statements are only ever added; the newest of a kind counts. */
export async function addEvidence(
  release: Release,
  kind: EvidenceKind,
  what: { readonly predicate: unknown; readonly at: string; readonly signal: AbortSignal },
): Promise<string> {
  const place = parseReference(release.reference)
  const statement = {
    _type: STATEMENT,
    subject: [
      {
        name: `${place.registry}/${place.repository}`,
        digest: { sha256: release.digest.slice('sha256:'.length) },
      },
    ],
    predicateType: predicateType(kind),
    predicate: what.predicate,
  }
  const descriptor = await pushArtifact(
    {
      type: artifactType(kind),
      mediaType: MEDIA_TYPE,
      content: Buffer.from(JSON.stringify(statement)),
      annotations: { 'org.opencontainers.image.created': what.at },
      subject: release.descriptor,
    },
    openRepository(place, what.signal),
  )
  return descriptor.digest
}

/** The predicates of one kind about `release`, oldest first. A statement about another digest is refused. */
export async function readEvidence(
  release: Release,
  kind: EvidenceKind,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const repository = openRepository(parseReference(release.reference), signal)
  const digests = await listReferrers(release.digest, artifactType(kind), repository)
  const predicates: unknown[] = []
  for (const digest of digests) {
    const artifact = await pullArtifact(digest, repository)
    if (artifact === undefined) continue
    const statement = parseJson(artifact.content.toString(), `the ${kind} ${digest}`)
    const about = at(statement, 'subject', 0, 'digest', 'sha256')
    if (`sha256:${String(about)}` !== release.digest)
      throw new UserError(`The ${kind} ${digest} speaks of another release; refused`)
    predicates.push(at(statement, 'predicate'))
  }
  return predicates
}

function artifactType(kind: EvidenceKind): string {
  return `application/vnd.todo-deploy.${kind}.v1+json`
}

function predicateType(kind: EvidenceKind): string {
  return `https://todo-deploy.dev/${kind}/v1`
}
