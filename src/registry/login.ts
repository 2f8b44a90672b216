import type { Challenge } from './challenge.ts'
import type { Lookup } from './credentials.ts'
import { type AskIssuer, basicHeader, type Issuer, requestToken, type Token } from './token.ts'

/** How one registry wants to be answered, and the tokens that were got for it. */
export type Login = {
  /** The `Authorization` header for a call with these scopes; undefined while the registry has not asked for one. */
  readonly header: (scopes: readonly string[]) => Promise<string | undefined>
  /**
   * Learns from a refusal of a call that carried `sent`. Returns false where there is nothing new to answer it with. Throws
   * `RegistryError` where the issuer of tokens refuses the login or can't be reached.
   */
  readonly answer: (
    challenges: readonly Challenge[],
    refused: { readonly scopes: readonly string[]; readonly sent: string | undefined },
  ) => Promise<boolean>
}

/** The login of one registry; nothing is looked up or sent before the registry asks for it. */
export function openLogin(
  registry: { readonly name: string; readonly base: URL },
  lookUp: () => Promise<Lookup>,
  ask: AskIssuer,
): Login {
  const tokens = new Map<string, Promise<Token>>()
  let basic: string | undefined
  let issuer: Issuer | undefined
  const fetchToken = (key: string, scopes: readonly string[], from: Issuer): Promise<Token> => {
    const token = lookUp().then((found) =>
      requestToken({ found, scopes, registry: registry.name }, from, ask),
    )
    tokens.set(key, token)
    token.catch(() => {
      if (tokens.get(key) === token) tokens.delete(key) // Who waits is told; the next one asks anew.
    })
    return token
  }
  const validToken = async (
    isOld: (token: Token) => boolean,
    scopes: { readonly wanted: readonly string[]; readonly asked: string },
    from: Issuer,
  ): Promise<Token> => {
    const key = scopes.wanted.join(' ')
    const known = tokens.get(key)
    if (known !== undefined && !isOld(await known)) return known
    // Several calls may be refused together: the first one asks, and the others wait for the same.
    const newer = tokens.get(key)
    if (newer !== undefined && newer !== known) return newer
    return fetchToken(key, union(scopes.wanted, scopes.asked), from)
  }
  return {
    header: async (scopes) => {
      if (issuer === undefined) return basic
      const isOver = ({ until }: Token) => performance.now() >= until
      return (await validToken(isOver, { wanted: scopes, asked: '' }, issuer)).header
    },
    answer: async (challenges, { scopes, sent }) => {
      const { credentials } = await lookUp()
      const bearer = challenges.find((one) => one.scheme === 'bearer')
      const found = bearer === undefined ? undefined : issuerOf(bearer, registry.base)
      if (found !== undefined) {
        issuer = found
        const wasSent = ({ header }: Token) => header === sent
        const asked = bearer?.parameters['scope'] ?? ''
        await validToken(wasSent, { wanted: scopes, asked }, found)
        return true
      }
      const wantsBasic = challenges.some((one) => one.scheme === 'basic')
      if (!wantsBasic || credentials?.kind !== 'password') return false
      basic = basicHeader(credentials)
      return basic !== sent
    },
  }
}

/** The issuer that a challenge names. A login is not sent over plain HTTP where the registry itself uses TLS. */
function issuerOf({ parameters }: Challenge, base: URL): Issuer | undefined {
  const text = parameters['realm'] ?? ''
  if (!URL.canParse(text)) return undefined
  const realm = new URL(text)
  const safe =
    realm.protocol === 'https:' || (realm.protocol === 'http:' && base.protocol === 'http:')
  return safe ? { realm, service: parameters['service'] } : undefined
}

/** All rights that either side names, each resource once. */
function union(scopes: readonly string[], asked: string): readonly string[] {
  const rights = new Map<string, Set<string>>()
  for (const scope of [...scopes, ...asked.split(' ').filter((text) => text.includes(':'))]) {
    const colon = scope.lastIndexOf(':')
    const known = rights.get(scope.slice(0, colon)) ?? new Set()
    for (const right of scope.slice(colon + 1).split(',')) known.add(right)
    rights.set(scope.slice(0, colon), known)
  }
  return [...rights].map(([resource, actions]) => `${resource}:${[...actions].join(',')}`)
}
