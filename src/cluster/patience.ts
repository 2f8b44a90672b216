import { isTimeout } from '../errors.ts'

/** A restart of an API server takes up to this long; what lasts longer is said to the user. */
export const PATIENCE_MS = 90_000
/** For the first word to a server, whose address may be wrong. */
export const FIRST_PATIENCE_MS = 2_500
/** So long after it was away, a server may refuse everybody, since it has not loaded its rules yet. */
export const COMING_UP_MS = 60_000
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 5_000
/** A server that asks for more is not going to get it: the deploy has a deadline of its own. */
const LONGEST_RETRY_AFTER_MS = 15_000
/** Pauses differ by this share, so that clients that were refused together do not come back together. */
const JITTER = 0.4

/** What etcd and an API server say, with status 500 or 403, while they come up or are slow. */
const PASSING_WORDS =
  /etcdserver:|etcd cluster is unavailable|leader changed|context deadline exceeded|storage is \(re\)initializing|not yet synced|timed out waiting for|the server is currently unable|apiserver is shutting down|RBAC: .* not found/i

type Said = { readonly status: number; readonly text: string }

/** Whether the same call may be answered well a moment later, by a server that was away a moment ago or not. */
export function isPassingAnswer({ status, text }: Said, isBack = false): boolean {
  if (status === 429 || status === 502 || status === 503 || status === 504) return true
  // A webhook that does not answer has its own words, and its own remedy.
  if (status !== 500 && status !== 403) return false
  if (isBack && / cannot \S+ resource /.test(text)) return true
  return PASSING_WORDS.test(text) && !/failed calling webhook/.test(text)
}

/** A connection that was cut may work the next time; a name or certificate that is wrong never will. */
export function isPassingError(error: unknown): boolean {
  // Errors of Node itself are of another realm where the code runs in a context of its own, as in tests.
  if (!(error instanceof Error || Error.isError(error))) return false
  const code = 'code' in error ? String(error.code) : ''
  return (
    ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNREFUSED', 'EHOSTUNREACH'].includes(code) ||
    error.name === 'TimeoutError' ||
    isTimeout(error.cause) ||
    // The other side went away in the middle of its answer, or of the greeting.
    /^aborted$|socket hang up|socket disconnected/.test(error.message)
  )
}

/** Before the next try: longer each time, up to a limit. */
export function pauseAfter(tried: number): number {
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** (tried - 1), LONGEST_PAUSE_MS)
  return Math.round(pause * (1 - JITTER / 2 + Math.random() * JITTER))
}

/** How long the server wants to be left alone: `Retry-After` in seconds. */
export function readRetryAfter(header: string | undefined): number {
  const seconds = Number(header ?? 0)
  return Number.isFinite(seconds) && seconds > 0
    ? Math.min(seconds * 1000, LONGEST_RETRY_AFTER_MS)
    : 0
}
