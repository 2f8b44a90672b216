import { UserError } from '../errors.ts'

/** An image or artifact name, split as the distribution grammar does. */
export type Reference = {
  /** Host and port, such as `ghcr.io` or `localhost:5001`. */
  readonly registry: string
  readonly repository: string
  readonly tag?: string
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest?: string
}

const HOST = /^(?:[A-Za-z0-9.-]+|\[[a-f0-9:]+\])(?::\d+)?$/
const REPOSITORY =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/
const DIGEST = /^sha256:[a-f0-9]{64}$/

export function isDigest(text: string): boolean {
  return DIGEST.test(text)
}

/** Parses `[host[:port]/]path[:tag][@digest]`. Throws `UserError` with the part that is wrong. */
export function parseReference(text: string): Reference {
  const wrong = (why: string): never => {
    throw new UserError(`"${text}" is not an image reference: ${why}`)
  }
  const [name = '', digest, ...more] = text.split('@')
  if (more.length > 0) wrong('it has more than one @')
  if (digest !== undefined && !isDigest(digest))
    wrong('after @ it needs sha256: and 64 hexadecimal digits')
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const hasHost = first.includes('.') || first.includes(':') || first === 'localhost'
  const registry = hasHost ? first : 'docker.io'
  const rest = hasHost ? name.slice(slash + 1) : name
  const colon = rest.lastIndexOf(':')
  const tag = colon < 0 ? undefined : rest.slice(colon + 1)
  const path = colon < 0 ? rest : rest.slice(0, colon)
  const repository = registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path
  if (!HOST.test(registry)) wrong(`"${registry}" is no host`)
  if (!REPOSITORY.test(repository))
    wrong('the name may have lower-case letters, digits, . _ - and /')
  if (tag !== undefined && !TAG.test(tag)) wrong(`the tag "${tag}" has characters a tag can't have`)
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  }
}

/** Writes a reference down; a digest wins over a tag. */
export function formatReference(reference: Reference): string {
  const name = `${reference.registry}/${reference.repository}`
  if (reference.digest !== undefined) return `${name}@${reference.digest}`
  return reference.tag === undefined ? name : `${name}:${reference.tag}`
}

/** The reference with a digest, or a `UserError` saying that tags are not deployed. */
export function requireDigest(text: string): Reference & { readonly digest: string } {
  const reference = parseReference(text)
  if (reference.digest === undefined)
    throw new UserError(`"${text}" has no digest: name it as repository@sha256:…`)
  return { ...reference, digest: reference.digest }
}
