import type { KubeObject } from '../render/manifest.ts'
import type { Conflict } from './conflicts.ts'
import type { Difference } from './diff.ts'
import type { Resources } from './resources.ts'

export type Change = {
  /** As it will be applied: without what an autoscaler owns. */
  readonly object: KubeObject
  readonly action: 'create' | 'update' | 'unchanged'
  /** Dotted paths that would change; values are never named. */
  readonly fields: readonly string[]
  /** The same with values: whoever shows them masks Secrets. */
  readonly differences?: readonly Difference[]
  /** As the server has it now; undefined where it is not there. */
  readonly live?: unknown
  /** Earlier tools whose fields become ours. */
  readonly taken?: readonly string[]
  /** Fields of others that are overrun because it was asked for. */
  readonly forced?: readonly Conflict[]
}

/** What an apply would do, found by a server-side dry run of the whole set; nothing was written. */
export type ApplyPlan = { readonly changes: readonly Change[]; readonly resources: Resources }
