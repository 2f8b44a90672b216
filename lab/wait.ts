import { setTimeout as sleep } from 'node:timers/promises'
import { LabError } from './failure.ts'

export interface Waiting {
  /** What is waited for, as it reads after "still waiting for". */
  readonly what: string
  readonly seconds: number
  readonly everySeconds?: number
}

/** Asks until the answer is not undefined, and returns it; throws when the deadline has passed. */
export async function waitFor<T>(
  waiting: Waiting,
  ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = Date.now() + waiting.seconds * 1000
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (Date.now() > deadline) {
      throw new LabError(`Waited ${waiting.seconds} seconds for ${waiting.what} in vain.`)
    }
    await sleep((waiting.everySeconds ?? 0.5) * 1000)
  }
}
