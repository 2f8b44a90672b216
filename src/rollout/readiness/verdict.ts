import type { Picture } from '../../cluster/watch.ts'
import type { CauseCode } from '../causes/codes.ts'
import type { Witness } from './witness.ts'

/** Whether one object does what it was made for, in the server's own terms. */
export type Readiness =
  | { readonly state: 'ready'; readonly detail: string }
  | { readonly state: 'waiting'; readonly detail: string }
  | {
      readonly state: 'failed'
      readonly detail: string
      readonly code: CauseCode
      readonly remedy: string
    }

/** What is looked at to judge: the picture of the namespace, and whom to ask about what is outside of it. */
export type View = { readonly picture: Picture; readonly witness: Witness }

export function ready(detail: string): Readiness {
  return { state: 'ready', detail }
}

export function waiting(detail: string): Readiness {
  return { state: 'waiting', detail }
}

export function failed(code: CauseCode, detail: string, remedy: string): Readiness {
  return { state: 'failed', code, detail, remedy }
}
