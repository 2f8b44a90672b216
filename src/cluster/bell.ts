/** A controller writes several objects at once: they are looked at together. */
const SETTLE_MS = 50

export type Bell = {
  readonly ring: () => void
  /** All that rang so far is known. */
  readonly heed: () => void
  readonly rung: (milliseconds: number) => Promise<void>
}

/** Tells of changes, also of one that came between a look and the wait for the next. */
export function newBell(ending: AbortSignal): Bell {
  const waiting = new Set<() => void>()
  let isRinging = false
  const ring = () => {
    isRinging = true
    for (const wake of waiting) wake()
  }
  ending.addEventListener('abort', ring)
  return {
    ring,
    heed: () => {
      isRinging = false
    },
    rung: async (milliseconds) => {
      if (!isRinging)
        await new Promise<void>((resolve) => {
          const wake = () => {
            clearTimeout(timer)
            waiting.delete(wake)
            resolve()
          }
          const timer = setTimeout(wake, milliseconds)
          waiting.add(wake)
        })
      if (isRinging) await rest(SETTLE_MS, ending)
    },
  }
}

/** Waits so long, or until the signal; never throws. */
export async function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    signal.addEventListener('abort', end)
  })
}
