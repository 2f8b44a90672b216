import type { Clock } from '../../world.ts'

/**
 * How long something has been so, by our own clock and our own eyes. Times that the cluster writes are of the cluster's clock, which
 * may be minutes away from ours, so they are never compared with it.
 */
export type Sightings = {
  /** Milliseconds for which `what` was seen at every look since the first; 0 at the first. */
  heldFor: (what: string) => number
  /** The value that `what` had when it was first asked for. */
  first: <T>(what: string, value: T) => T
  /** Whether `first` was ever called for it. */
  known: (what: string) => boolean
  /** A new look begins: what the last one did not see has ended. */
  look: () => void
  /** The picture was not of now for a while: nobody knows what held meanwhile. */
  doubt: () => void
}

export function newSightings(clock: Clock): Sightings {
  const since = new Map<string, number>()
  const values = new Map<string, unknown>()
  let seen = new Set<string>()
  return {
    heldFor: (what) => {
      const now = clock.now().getTime()
      seen.add(what)
      const began = since.get(what) ?? now
      since.set(what, began)
      return now - began
    },
    first: <T>(what: string, value: T): T => {
      if (!values.has(what)) values.set(what, value)
      return values.get(what) as T
    },
    known: (what) => values.has(what),
    look: () => {
      for (const what of since.keys()) if (!seen.has(what)) since.delete(what)
      seen = new Set()
    },
    doubt: () => {
      since.clear()
      seen.clear()
    },
  }
}
