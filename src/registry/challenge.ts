import { parseJson, textAt } from '../json.ts'
import type { Credentials } from './credentials.ts'

/** A parsed `WWW-Authenticate` header: its scheme (lower case) and parameters. */
export type Challenge = {
  readonly scheme: string
  readonly parameters: Readonly<Record<string, string>>
}

const TOKEN_TIMEOUT_MS = 30_000

/** Reads a challenge such as `Bearer realm="…",service="…",scope="…"` (RFC 9110, section 11.6.1). */
export function parseChallenge(header: string | null): Challenge {
  const [scheme = ''] = (header ?? '').split(' ')
  const parameters: Record<string, string> = {}
  for (const found of (header ?? '').matchAll(/(\w+)="([^"]*)"/g))
    parameters[found[1] ?? ''] = found[2] ?? ''
  return { scheme: scheme.toLowerCase(), parameters }
}

/** The `Authorization` header that answers `challenge`, or undefined where it can't be answered. */
export async function authorize(
  challenge: Challenge,
  credentials: Credentials | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const basic =
    credentials === undefined
      ? undefined
      : `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`
  if (challenge.scheme === 'basic') return basic
  const realm = challenge.parameters['realm']
  if (challenge.scheme !== 'bearer' || realm === undefined || !URL.canParse(realm)) return undefined
  const url = new URL(realm)
  for (const key of ['service', 'scope']) {
    const value = challenge.parameters[key]
    if (value !== undefined) url.searchParams.set(key, value)
  }
  const response = await fetch(url, {
    headers: basic === undefined ? {} : { authorization: basic },
    signal: AbortSignal.any([signal, AbortSignal.timeout(TOKEN_TIMEOUT_MS)]),
  })
  if (!response.ok) return undefined
  const answer = parseJson(await response.text(), `the token from ${url.host}`)
  const token = textAt(answer, 'token') ?? textAt(answer, 'access_token')
  return token === undefined ? undefined : `Bearer ${token}`
}
