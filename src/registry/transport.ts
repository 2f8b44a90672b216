import type { Agent } from 'node:http'
import { parseChallenges } from './challenge.ts'
import { findCredentials, type Lookup } from './credentials.ts'
import { type Body, exchange, type Reply } from './exchange.ts'
import { type Deed, explainStatus, mayPass } from './explain.ts'
import { RegistryError } from './failure.ts'
import { type Login, openLogin } from './login.ts'
import type { Limits } from './pace.ts'
import { type Patience, persist } from './patience.ts'

export type Place = { readonly registry: string; readonly repository: string }

export type Call = {
  readonly repository: string
  readonly doing: Deed['doing']
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH'
  /** Path, or a whole address as the registry gave it. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Body
  /** Another repository that a mount reads from. */
  readonly from?: string
  /** The registry has to work for it, so its answer takes longer. */
  readonly commit?: boolean
}

/** Sends calls to one registry: logs in when it is asked to, follows redirects, tries again what may pass. */
export type Transport = {
  readonly registry: string
  readonly base: URL
  /** One attempt. Every status is an answer; the caller leaves the reply. Throws `RegistryError` where there is none. */
  readonly attempt: (call: Call) => Promise<Reply>
  /** As many attempts as patience allows, each with `use` of its answer. A status that may pass is tried again. */
  readonly send: <T>(call: Call, use: (reply: Reply) => Promise<T> | T) => Promise<T>
  /** The error that the status of a reply is. */
  readonly explain: (reply: Reply, call: Call) => Promise<RegistryError>
  readonly patience: Patience
  readonly signal: AbortSignal
}

export type TransportSettings = {
  readonly scheme: 'http' | 'https'
  /** Docker's configuration folder; its own rule where undefined. */
  readonly dockerConfig: string | undefined
  readonly agentFor: (url: URL) => Agent
  readonly limits: Limits
  readonly patience: Patience
}

const REDIRECTS = 5
const HUB_HOST = 'registry-1.docker.io'

/** A transport to one registry. Nothing is sent, and no login looked for, before the first call. */
export function openTransport(
  registry: string,
  settings: TransportSettings,
  signal: AbortSignal,
): Transport {
  const host = registry === 'docker.io' ? HUB_HOST : registry
  const base = new URL(`${settings.scheme}://${host}`)
  let found: Promise<Lookup> | undefined
  const lookUp = () => (found ??= findCredentials(registry, settings.dockerConfig))
  const line: Line = { registry, base, settings, signal }
  const login = openLogin({ name: registry, base }, lookUp, (request) =>
    carry(line, { ...request, commit: false }),
  )
  const explain = async (reply: Reply, call: Call): Promise<RegistryError> => {
    const refused = reply.status === 401 || reply.status === 403
    const looked = refused ? await lookUp() : undefined
    const anonymous = looked !== undefined && 'why' in looked ? looked.why : undefined
    return explainStatus(reply, { ...call, registry, anonymous })
  }
  const attempt = (call: Call) => follow(line, login, call)
  const once = async <T>(call: Call, use: (reply: Reply) => Promise<T> | T): Promise<T> => {
    const reply = await attempt(call)
    try {
      if (mayPass(reply.status)) throw await explain(reply, call)
      return await use(reply)
    } finally {
      await reply.leave()
    }
  }
  const { patience } = settings
  const send: Transport['send'] = (call, use) => persist(() => once(call, use), patience, signal)
  return { registry, base, attempt, send, explain, patience, signal }
}

type Line = {
  readonly registry: string
  readonly base: URL
  readonly settings: TransportSettings
  readonly signal: AbortSignal
}

/** One call: with the login where it stays with the registry, without it where a redirect leads elsewhere. */
async function follow(line: Line, login: Login, call: Call): Promise<Reply> {
  const scopes = scopesOf(call)
  let url = checkedUrl(call.path, line.base, line.registry)
  let answered = false
  for (let redirects = 0; ;) {
    const own = url.origin === line.base.origin
    const sent = own ? await login.header(scopes) : undefined
    const headers = { ...call.headers, ...(sent === undefined ? {} : { authorization: sent }) }
    const reply = await carry(line, { ...call, url, headers })
    if (reply.status === 401 && own && !answered) {
      const challenges = parseChallenges(reply.headers('www-authenticate'))
      answered = await orLeave(reply, () => login.answer(challenges, { scopes, sent }))
      if (!answered) return reply
    } else if (isRedirect(reply.status) && reply.header('location') !== undefined) {
      redirects += 1
      url = await orLeave(reply, () =>
        Promise.resolve(redirected(reply, redirects, { line, call })),
      )
    } else return reply
    await reply.leave()
  }
}

async function orLeave<T>(reply: Reply, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await reply.leave()
    throw error
  }
}

function carry(
  { registry, base, settings, signal }: Line,
  request: {
    readonly method: string
    readonly url: URL
    readonly headers: Readonly<Record<string, string>>
    readonly body?: Body
    readonly commit?: boolean
  },
): Promise<Reply> {
  const { url } = request
  const { limits, agentFor } = settings
  const who =
    url.origin === base.origin
      ? `The registry ${registry}`
      : `${url.host}, to which the registry ${registry} sent us,`
  return exchange(
    {
      ...request,
      who,
      agent: agentFor(url),
      limits: request.commit === true ? { ...limits, answerMs: limits.commitMs } : limits,
    },
    signal,
  )
}

/** What a token has to allow; the order is that of the protocol. */
function scopesOf({ repository, doing, from }: Call): readonly string[] {
  const rights = doing === 'reading' ? 'pull' : 'pull,push'
  const more = from === undefined ? [] : [`repository:${from}:pull`]
  return [`repository:${repository}:${rights}`, ...more]
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status)
}

function redirected(
  reply: Reply,
  count: number,
  { line, call }: { readonly line: Line; readonly call: Call },
): URL {
  const refuse = (why: string): never => {
    throw new RegistryError(`The registry ${line.registry} ${why}; refused`, { passing: false })
  }
  if (count > REDIRECTS) refuse(`redirects without end (more than ${REDIRECTS} times)`)
  const url = checkedUrl(reply.header('location') ?? '', reply.url, line.registry)
  // What is written stays where it was sent: storage hosts are for reading.
  const reads = call.method === 'GET' || call.method === 'HEAD'
  const stays = url.origin === line.base.origin && (reply.status === 307 || reply.status === 308)
  if (!reads && !stays) refuse(`redirects what is published (to ${url.host})`)
  return url
}

/** An address that the registry gave. Never from TLS to plain HTTP, and nothing but HTTP. */
export function checkedUrl(text: string, from: URL, registry: string): URL {
  const refuse = (why: string): never => {
    throw new RegistryError(`The registry ${registry} ${why}; refused`, { passing: false })
  }
  if (!URL.canParse(text, from.href)) refuse('gives an address that is none')
  const url = new URL(text, from)
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    refuse(`leads to an address that is not HTTP (${url.protocol})`)
  if (from.protocol === 'https:' && url.protocol === 'http:')
    refuse(`leads from TLS to plain HTTP at ${url.host}`)
  url.username = ''
  url.password = ''
  return url
}
