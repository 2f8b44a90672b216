import { refusalPage, refusalSummary } from '../report/refusal.ts'
import { recordSteps, type Step } from '../report/steps.ts'
import type { World } from '../world.ts'
import type { CommandResult } from './command.ts'
import { resultOfError } from './report.ts'

export const PAGE_FILE = 'report.html'

/** How far a command had come. */
export type Past = {
  readonly at: Date
  readonly seconds: number
  readonly steps: readonly Step[]
}

/** A world that writes down what it does, and how far it has come by now. */
export type Recorded = { readonly world: World; readonly past: () => Past }

export function recordPast(given: World): Recorded {
  const { world, steps } = recordSteps(given)
  const started = world.clock.now()
  return {
    world,
    past: () => {
      const at = world.clock.now()
      return { at, seconds: (at.getTime() - started.getTime()) / 1000, steps: steps() }
    },
  }
}

/** A refusal, with its page: somebody who looks for the report must find why there is none. `consequence`: what it means. */
export function refusedResult(
  error: unknown,
  of: { readonly about: string; readonly consequence: string },
  past: Past,
): CommandResult {
  const result = resultOfError(error, of.about)
  const { headline: message, details = [] } = result
  const refusal = { ...of, ...past, message, details }
  return {
    ...result,
    summary: refusalSummary(refusal),
    files: { 'report-page': { name: PAGE_FILE, content: refusalPage(refusal) } },
  }
}
