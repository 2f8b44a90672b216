import { numberAt, textAt } from '../json.ts'
import type { Credentials, Lookup } from './credentials.ts'
import { gather } from './digest.ts'
import type { Body, Reply } from './exchange.ts'
import { mayPass } from './explain.ts'
import { RegistryError } from './failure.ts'
import { retryAfterMs } from './patience.ts'

/** Who gives tokens for a registry, as the registry itself says. */
export type Issuer = { readonly realm: URL; readonly service: string | undefined }

/** `until` is by the clock of `performance`. */
export type Token = { readonly header: string; readonly until: number }

/** Sends one request to the issuer of tokens. */
export type AskIssuer = (request: {
  readonly url: URL
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Body
}) => Promise<Reply>

const TOKEN_LIMIT = 64 * 1024
/** What a token lives where its issuer does not say; fixed by the protocol. */
const LIFE_SECONDS = 60
/** A token is renewed this long before its end, but never in the first half of its life. */
const EARLY_SECONDS = 20

export type Wish = {
  readonly found: Lookup
  readonly scopes: readonly string[]
  readonly registry: string
}

/** Gets a token for `wish`. Throws `RegistryError` where the issuer refuses the login, is not well, or makes no sense. */
export async function requestToken(wish: Wish, issuer: Issuer, ask: AskIssuer): Promise<Token> {
  const { credentials } = wish.found
  const began = performance.now()
  if (credentials?.kind === 'bearer')
    return { header: `Bearer ${credentials.token}`, until: Number.POSITIVE_INFINITY }
  const reply = await ask(
    credentials?.kind === 'identity'
      ? identityRequest(credentials.token, wish.scopes, issuer)
      : tokenRequest(credentials, wish.scopes, issuer),
  )
  try {
    if (reply.status !== 200) throw refusal(reply, wish, issuer.realm)
    const what = `The token for ${wish.registry} from ${issuer.realm.host}`
    const text = (await gather(reply.body, TOKEN_LIMIT, what)).toString()
    return readToken(text, began, what)
  } finally {
    await reply.leave()
  }
}

function tokenRequest(
  credentials: (Credentials & { readonly kind: 'password' }) | undefined,
  scopes: readonly string[],
  { realm, service }: Issuer,
): Parameters<AskIssuer>[0] {
  const url = new URL(realm)
  if (service !== undefined) url.searchParams.set('service', service)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  const headers = credentials === undefined ? {} : { authorization: basicHeader(credentials) }
  return { url, method: 'GET', headers }
}

/** OAuth 2 as registries have it: the identity token is a refresh token. */
function identityRequest(
  token: string,
  scopes: readonly string[],
  { realm, service }: Issuer,
): Parameters<AskIssuer>[0] {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: 'todo-deploy',
    refresh_token: token,
    scope: scopes.join(' '),
    ...(service === undefined ? {} : { service }),
  })
  const bytes = Buffer.from(form.toString())
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return { url: realm, method: 'POST', headers, body: { size: bytes.length, open: () => bytes } }
}

function readToken(text: string, began: number, what: string): Token {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    answer = undefined // Not shown: it may hold a token.
  }
  const token = textAt(answer, 'token') ?? textAt(answer, 'access_token') ?? ''
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new RegistryError(`${what} can't be read; try again later`, { passing: false })
  const life = Math.max(numberAt(answer, 'expires_in') ?? LIFE_SECONDS, 1)
  const until = began + Math.max(life - EARLY_SECONDS, life / 2) * 1000
  return { header: `Bearer ${token}`, until }
}

function refusal({ status, header }: Reply, wish: Wish, realm: URL): RegistryError {
  const refused = status === 401 || status === 403 || status === 400
  const why = !refused
    ? `the registry's issuer of tokens, ${realm.host}, answered ${status}; try again later`
    : wish.found.credentials === undefined
      ? `it wants a login: run "docker login ${wish.registry}" (or docker/login-action) before`
      : `${realm.host} does not accept the login (${status}); log in again: run "docker login ${wish.registry}" (or docker/login-action)`
  return new RegistryError(`${wish.registry}: ${why}`, {
    passing: mayPass(status),
    status,
    waitMs: retryAfterMs(header('retry-after'), Date.now()),
    details: 'why' in wish.found ? [wish.found.why] : [],
  })
}

export function basicHeader(login: {
  readonly username: string
  readonly password: string
}): string {
  return `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`
}
