import { UserError } from '../errors.ts'
import { listAt, parseJson, at, textAt } from '../json.ts'

/** Something a statement is about: an image, a release. */
export type Subject = {
  readonly name: string
  /** `sha256:…` */
  readonly digest: string
}

/** An in-toto statement, version 1: what is said (`predicate`) about what. */
export type Statement = {
  readonly subjects: readonly Subject[]
  readonly predicateType: string
  readonly predicate: unknown
}

/** A predicate that is JSON already. An SBOM has megabytes as text, and would take many times that as objects. */
export class WrittenPredicate {
  readonly json: string
  constructor(json: string) {
    this.json = json
  }
}

export const STATEMENT_MEDIA_TYPE = 'application/vnd.in-toto+json'
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1'

/** The JSON text of a statement (in-toto attestation framework, v1). */
export function formatStatement({ subjects, predicateType, predicate }: Statement): string {
  const subject = subjects.map(({ name, digest }) => ({
    name,
    digest: { sha256: digest.slice('sha256:'.length) },
  }))
  const said = { _type: STATEMENT_TYPE, subject, predicateType }
  if (!(predicate instanceof WrittenPredicate)) return JSON.stringify({ ...said, predicate })
  return `${JSON.stringify(said).slice(0, -1)},"predicate":${predicate.json}}`
}

/** Reads a statement. Throws `UserError` where the text is none; it says nothing about who made it. */
export function parseStatement(text: string, what: string): Statement {
  const data = parseJson(text, what)
  const predicateType = textAt(data, 'predicateType')
  if (textAt(data, '_type') !== STATEMENT_TYPE || predicateType === undefined)
    throw new UserError(`${what} is no in-toto statement of version 1`)
  const subjects = listAt(data, 'subject').map((subject) => ({
    name: textAt(subject, 'name') ?? '',
    digest: `sha256:${textAt(subject, 'digest', 'sha256') ?? ''}`,
  }))
  return { subjects, predicateType, predicate: at(data, 'predicate') }
}
