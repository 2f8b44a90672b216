import { isPassing, type RegistryError } from './failure.ts'

/** How often and how long a call is tried again. */
export type Patience = {
  /** Attempts in a row that bring nothing. */
  readonly attempts: number
  /** The first pause; each later one is twice as long (milliseconds). */
  readonly firstPauseMs: number
  /** A registry that asks for a longer pause is not waited for. */
  readonly longestPauseMs: number
  /** No further attempt when this much time went by without any progress. */
  readonly totalMs: number
}

export const PATIENCE: Patience = {
  attempts: 5,
  firstPauseMs: 500,
  longestPauseMs: 60_000,
  totalMs: 180_000,
}

export type Hope = {
  /** After a failure: pauses and returns, or throws the failure where there is no hope (left). */
  lose: (failure: unknown) => Promise<void>
  /** Something was reached: attempts and time start from nothing. */
  gain: () => void
}

/** Counts the failures of one piece of work. */
export function newHope(patience: Patience, signal: AbortSignal): Hope {
  let failed = 0
  let since = performance.now()
  return {
    lose: async (failure) => {
      signal.throwIfAborted()
      failed += 1
      if (!isPassing(failure)) throw failure
      const pause = pauseAfter(failed, failure, patience)
      const late = performance.now() - since + pause > patience.totalMs
      if (failed >= patience.attempts || pause > patience.longestPauseMs || late) throw failure
      await rest(pause, signal)
    },
    gain: () => {
      failed = 0
      since = performance.now()
    },
  }
}

/** Does `work` until it goes right, or fails in a way that waiting does not cure. */
export async function persist<T>(
  work: () => Promise<T>,
  patience: Patience,
  signal: AbortSignal,
): Promise<T> {
  const hope = newHope(patience, signal)
  for (;;) {
    try {
      return await work()
    } catch (error) {
      await hope.lose(error)
    }
  }
}

/** Twice as long each time, and never the same for two clients that were refused together. */
function pauseAfter(failed: number, failure: RegistryError, patience: Patience): number {
  const grown = Math.min(patience.firstPauseMs * 2 ** (failed - 1), patience.longestPauseMs)
  const spread = grown * (0.5 + Math.random() / 2)
  return Math.max(failure.waitMs ?? 0, spread)
}

/** `Retry-After` in milliseconds: seconds or a date. What is neither, or past, is not there. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  const text = header.trim()
  const wait = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return Number.isFinite(wait) && wait >= 0 ? wait : undefined
}

function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal.reason as Error)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, milliseconds)
    signal.addEventListener('abort', stop, { once: true })
  })
}
