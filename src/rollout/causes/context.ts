import type { Picture } from '../../cluster/watch.ts'
import type { Sightings } from '../readiness/sightings.ts'
import type { Witness } from '../readiness/witness.ts'
import type { Cause } from './codes.ts'

/** What is known when a cause is looked for. */
export type CauseContext = {
  readonly picture: Picture
  readonly sightings: Sightings
  readonly witness: Witness
  /** Whether something else of the release is still on its way: then a crash may only be a race with it. */
  readonly isAlone: boolean
  /** Whether time is up: what would have been waited for longer is the cause now. */
  readonly isLast?: boolean
}

/** One pod of the newest revision, and those beside it. */
export type PodContext = CauseContext & {
  readonly pod: unknown
  readonly siblings: readonly unknown[]
}

/** A cause of a pod; its name and container are added by the caller. */
export type Finding = Pick<Cause, 'code' | 'text' | 'remedy'>
