import { messageOf, UserError } from '../errors.ts'
import { authorize, type Challenge, parseChallenge } from './challenge.ts'
import { findCredentials } from './credentials.ts'

export type Place = { readonly registry: string; readonly repository: string }

export type Call = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT'
  /** Path, or a whole address as the registry gave it. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** Called once for each attempt, so that a stream can be sent again. */
  readonly body?: () => AsyncIterable<Uint8Array> | Uint8Array
}

/** Sends calls to one registry: logs in when it is asked to, tries again what may pass. */
export type Transport = { readonly base: string; send: (call: Call) => Promise<Response> }

const ATTEMPTS = 4
const BACKOFF_MS = 500
const CALL_TIMEOUT_MS = 120_000

export function openTransport(place: Place, signal: AbortSignal): Transport {
  const base = baseUrl(place.registry)
  let header: string | undefined
  const attempt = async (call: Call): Promise<Response> => {
    const url = new URL(call.path, base)
    // An upload may go to another host, whose business our login is not.
    const own = header !== undefined && url.origin === new URL(base).origin
    const headers = { ...call.headers, ...(own ? { authorization: header } : {}) }
    return await fetch(url, {
      method: call.method,
      headers,
      signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]),
      ...(call.body === undefined ? {} : { body: call.body(), duplex: 'half' }),
    })
  }
  return {
    base,
    send: async (call) => {
      const again = () => attempt(call)
      const response = await retry(again, place, signal)
      if (response.status !== 401) return response
      const challenge = parseChallenge(response.headers.get('www-authenticate'))
      await response.body?.cancel()
      header = await authorizeOrExplain(challenge, place, signal)
      return await retry(again, place, signal)
    },
  }
}

/** Plain HTTP is for a registry on this machine only, as Docker has it. */
function baseUrl(registry: string): string {
  const host = registry.replace(/:\d+$/, '')
  const local = host === 'localhost' || host === '127.0.0.1' || host === '[::1]'
  return `${local ? 'http' : 'https'}://${registry === 'docker.io' ? 'registry-1.docker.io' : registry}`
}

async function retry(
  attempt: () => Promise<Response>,
  place: Place,
  signal: AbortSignal,
): Promise<Response> {
  for (let tried = 1; ; tried += 1) {
    try {
      const response = await attempt()
      const passing = response.status === 429 || response.status >= 500
      if (!passing || tried === ATTEMPTS) return response
      await response.body?.cancel()
    } catch (error) {
      signal.throwIfAborted()
      if (tried === ATTEMPTS) throw unreachable(place, error)
    }
    await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS * 2 ** (tried - 1)))
  }
}

function unreachable({ registry }: Place, error: unknown): UserError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  return new UserError(
    `The registry ${registry} can't be reached; check its name, the network and that it runs`,
    [messageOf(cause)],
    { cause: error },
  )
}

async function authorizeOrExplain(
  challenge: Challenge,
  place: Place,
  signal: AbortSignal,
): Promise<string> {
  const credentials = await findCredentials(place.registry)
  const header = await authorize(challenge, credentials, signal)
  if (header !== undefined) return header
  throw new UserError(
    `${place.registry} wants a login for ${place.repository}: run "docker login ${place.registry}" (or docker/login-action) before`,
  )
}
