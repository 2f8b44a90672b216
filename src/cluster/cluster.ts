import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, UserError } from '../errors.ts'
import { textAt } from '../json.ts'
import type { PodCommand, PodCommandResult } from './exec.ts'
import { type Access, loadAccess } from './kubeconfig.ts'
import {
  COMING_UP_MS,
  FIRST_PATIENCE_MS,
  isPassingAnswer,
  isPassingError,
  PATIENCE_MS,
  pauseAfter,
  readRetryAfter,
} from './patience.ts'
import { lacking, missingRight } from './rights.ts'

export type Request = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Absolute path with query, such as `/api/v1/namespaces`. */
  readonly path: string
  readonly body?: unknown
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly timeoutSeconds?: number
  /** Sent although the run was cancelled, once and shortly: to let go of a lease. */
  readonly isLast?: boolean
}

/** What the server said; a status of 400 or more is an answer, not an exception. */
export type Answer = {
  readonly status: number
  /** Parsed JSON, or undefined where the answer is something else. */
  readonly body: unknown
  readonly text: string
}

/** One Kubernetes API server. */
export type Cluster = {
  readonly context: string
  readonly server: string
  call: (request: Request) => Promise<Answer>
  /** Streams the lines of a watch until the server ends it. */
  stream: (path: string, onLine: (line: string) => void, signal: AbortSignal) => Promise<void>
  exec: (command: PodCommand) => Promise<PodCommandResult>
}

const CALL_TIMEOUT_S = 30
/** The runner gives a cancelled step 7.5 seconds before it insists. */
const LAST_CALL_MS = 3_000
/** Silence on a watch that asked for bookmarks every minute: the connection is dead. */
const WATCH_SILENCE_MS = 75_000

/** The server does not give this watch: no right, or no such kind. */
export class WatchRefused extends Error {
  readonly status: number
  constructor(status: number) {
    super(`the watch was refused with status ${status}`)
    this.name = 'WatchRefused'
    this.status = status
  }
}

/** Opens a cluster by kubeconfig and context (empty: the defaults) and asks it for its version. */
export async function openCluster(
  options: { readonly kubeconfig: string; readonly context: string },
  signal: AbortSignal,
): Promise<Cluster> {
  const access = await loadAccess(options)
  const contact: Contact = { lostAt: Number.NEGATIVE_INFINITY }
  const cluster: Cluster = {
    context: access.context,
    server: access.server.origin,
    call: (request) => callPatiently(access, request, { signal, contact, patienceMs: PATIENCE_MS }),
    stream: (path, onLine, watchSignal) => stream(access, { path, onLine }, watchSignal),
    exec: async (command) => {
      // WebSockets are loaded by the first who needs them: most runs never do.
      const { execInPod } = await import('./exec.ts')
      return await execInPod(access, command, signal)
    },
  }
  // A wrong address is wrong for ever: it is not waited for as long as a server that has answered once.
  const version = await callPatiently(
    access,
    { method: 'GET', path: '/version' },
    { signal, contact, patienceMs: FIRST_PATIENCE_MS },
  )
  if (version.status === 401 || version.status === 403)
    throw new UserError(
      `The cluster ${access.context} refuses this login; check the kubeconfig's user`,
      [reasonOf(version)],
    )
  if (textAt(version.body, 'gitVersion') === undefined)
    throw new UserError(`${access.server.origin} does not answer as a Kubernetes API server`)
  return cluster
}

/** The server's own words of an answer that is an error; where a right is missing, which one and who can give it. */
export function reasonOf(answer: Answer): string {
  const right = missingRight(answer)
  if (right !== undefined) return `this login ${lacking([right])}`
  return textAt(answer.body, 'message') ?? (answer.text.slice(0, 300) || `status ${answer.status}`)
}

/** When the server last did not answer, in milliseconds of this machine's clock. */
type Contact = { lostAt: number }

/** Tries again what may pass: a server that restarts, is overloaded, or whose etcd is slow. All our writes bear being repeated. */
async function callPatiently(
  access: Access,
  request: Request,
  how: { readonly signal: AbortSignal; readonly contact: Contact; readonly patienceMs: number },
): Promise<Answer> {
  const isLast = request.isLast === true
  const signal = isLast ? AbortSignal.timeout(LAST_CALL_MS) : how.signal
  const until = Date.now() + (isLast ? 0 : how.patienceMs)
  for (let tried = 1; ; tried += 1) {
    let pause = pauseAfter(tried)
    try {
      const answer = await callOnce(access, request, signal)
      // What a service proxy says is of the service behind it, not of the server.
      const isBack = Date.now() < how.contact.lostAt + COMING_UP_MS
      const isPassing = isPassingAnswer(answer, isBack) && !request.path.includes('/proxy')
      pause = Math.max(pause, answer.retryAfterMs)
      if (!isPassing || Date.now() + pause > until) return answer
    } catch (error) {
      signal.throwIfAborted()
      how.contact.lostAt = Date.now()
      if (!isPassingError(error) || Date.now() + pause > until) throw unreachable(access, error)
    }
    await sleep(pause, undefined, { signal })
  }
}

async function callOnce(
  access: Access,
  request: Request,
  signal: AbortSignal,
): Promise<Answer & { readonly retryAfterMs: number }> {
  const body = request.body === undefined ? undefined : JSON.stringify(request.body)
  const timeout = AbortSignal.timeout((request.timeoutSeconds ?? CALL_TIMEOUT_S) * 1000)
  const response = await send(access, request, { body, signal: AbortSignal.any([signal, timeout]) })
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk as string
  const isJson = (response.headers['content-type'] ?? '').includes('json')
  return {
    status: response.statusCode ?? 0,
    body: isJson ? parseOr(text) : undefined,
    text,
    retryAfterMs: readRetryAfter(response.headers['retry-after']),
  }
}

async function stream(
  access: Access,
  watch: { readonly path: string; readonly onLine: (line: string) => void },
  signal: AbortSignal,
): Promise<void> {
  const silence = new AbortController()
  let timer = setTimeout(() => {
    silence.abort(new Error('the watch fell silent'))
  }, WATCH_SILENCE_MS)
  try {
    const response = await send(
      access,
      { method: 'GET', path: watch.path },
      { body: undefined, signal: AbortSignal.any([signal, silence.signal]), isWatch: true },
    )
    if (response.statusCode !== 200) throw new WatchRefused(response.statusCode ?? 0)
    for await (const line of createInterface({ input: response })) {
      clearTimeout(timer)
      timer = setTimeout(() => {
        silence.abort(new Error('the watch fell silent'))
      }, WATCH_SILENCE_MS)
      watch.onLine(line)
    }
  } finally {
    clearTimeout(timer)
  }
}

async function send(
  access: Access,
  request: Request,
  how: {
    readonly body: string | undefined
    readonly signal: AbortSignal
    readonly isWatch?: boolean
  },
): Promise<IncomingMessage> {
  const headers = {
    accept: 'application/json',
    ...bodyHeaders(request, how.body),
    ...(await access.headers()),
    ...request.headers,
  }
  const prefix = access.server.pathname === '/' ? '' : access.server.pathname
  const url = new URL(`${prefix}${request.path}`, access.server)
  return await new Promise<IncomingMessage>((resolve, reject) => {
    const agent = how.isWatch === true ? access.watchAgent : access.agent
    const outgoing = httpsRequest(
      url,
      { method: request.method, agent, headers, signal: how.signal },
      resolve,
    )
    outgoing.once('error', reject)
    outgoing.end(how.body)
  })
}

/** The length is always said: Node would send the body of a DELETE without it, and the next answer would be garbled. */
function bodyHeaders(request: Request, body: string | undefined): Record<string, string> {
  if (body === undefined) return {}
  const type = request.contentType ?? 'application/json'
  return { 'content-type': type, 'content-length': String(Buffer.byteLength(body)) }
}

function parseOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // The status tells; callers show the text.
  }
}

function unreachable(access: Access, error: unknown): UserError {
  if (error instanceof UserError) return error
  return new UserError(
    `The cluster ${access.context} at ${access.server.origin} can't be reached; check that it runs and that this kubeconfig is its`,
    [messageOf(error)],
    { cause: error },
  )
}
