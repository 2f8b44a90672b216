/** What a transfer may take. */
export type Limits = {
  /** Until an answer begins, once the request is sent (milliseconds). */
  readonly answerMs: number
  /** The same for what a registry has to work for: to take over a blob, it reads all of it again. */
  readonly commitMs: number
  /** While we wait for the other side, it must move at least `windowBytes` in each window of this length. */
  readonly windowMs: number
  readonly windowBytes: number
}

export const LIMITS: Limits = {
  answerMs: 60_000,
  commitMs: 300_000,
  windowMs: 60_000,
  windowBytes: 256 * 1024,
}

/** The other side is there and moves too little. */
export class TooSlow extends Error {}

export type Pace = {
  /** Waits for `step`; calls `giveUp` when the window is over and too little was moved in it. */
  wait: <T>(step: Promise<T>) => Promise<T>
  moved: (bytes: number) => void
}

/**
 * Watches that the other side keeps a pace. Only time spent in `wait` counts: a slow disk of ours is not its fault. A drop now
 * and then, which would keep a limit on silence alone quiet for ever, is too slow as well.
 */
export function newPace(limits: Limits, giveUp: (why: TooSlow) => void): Pace {
  let left = limits.windowMs
  let bytes = 0
  return {
    wait: async (step) => {
      const began = performance.now()
      const timer = setTimeout(() => {
        giveUp(new TooSlow(`${bytes} bytes in ${limits.windowMs} ms`))
      }, left)
      try {
        return await step
      } finally {
        clearTimeout(timer)
        left = Math.max(left - (performance.now() - began), 0)
      }
    },
    moved: (count) => {
      bytes += count
      if (bytes < limits.windowBytes) return
      left = limits.windowMs
      bytes = 0
    },
  }
}
