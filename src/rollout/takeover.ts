import type { EnvironmentState } from '../cluster/state.ts'
import type { DeployOptions } from './outcome.ts'

/** What the next run makes of one that was killed or cancelled. */
export function takeover(
  pending: NonNullable<EnvironmentState['pending']>,
  { source }: DeployOptions,
): string {
  const what =
    pending.isWayBack === true
      ? `The way back from ${pending.release}`
      : `A deploy of ${pending.release}`
  const then =
    pending.release === source.identity
      ? 'this one resumes it'
      : `this one takes over: what that had created and ${source.identity} has not is removed`
  return `${what} did not end (${pending.at}); ${then}`
}
