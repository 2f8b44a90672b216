import type { Change } from '../cluster/changes.ts'
import type { Environment } from '../environments/environments.ts'
import type { Files } from '../release/archive.ts'
import type { ImageSet } from '../release/imageset.ts'
import type { ImageChange } from './imagechanges.ts'
import type { Lint } from './preflight/lint.ts'
import type { Plan } from './preflight/plan.ts'
import type { Timeline } from './timeline.ts'
import type { RolloutFailed } from './readiness/wait.ts'

export type DeploySource = {
  /** Release reference, or `path:` and a folder for a tree without a release. */
  readonly identity: string
  readonly manifests: Files
  readonly images: ImageSet
}

export type DeployOptions = {
  readonly source: DeploySource
  readonly application: string
  readonly environment: Environment
  readonly mode: 'apply' | 'plan'
  /** The hash of a plan: nothing else may be done. */
  readonly planHash?: string | undefined
  /** What to do about manifests that may lose requests; `warn` where it is not given. */
  readonly lint?: Lint
  /** Whether fields that others have set are overrun. */
  readonly forceConflicts?: boolean
  readonly timeoutSeconds: number
  /** Whether what the last release had and this one lacks is removed. */
  readonly prune: boolean
  readonly onFailure: 'rollback' | 'keep'
  /** Who deploys, for the lease: unique for each run. */
  readonly holder: string
  /** Whether another deploy to the same place is waited for; `wait` where it is not given. */
  readonly concurrent?: 'wait' | 'refuse' | undefined
  /** How long new pods must stay ready where their workload has no minReadySeconds. */
  readonly settleSeconds?: number | undefined
  /** Where evidence of a failure is kept as files. */
  readonly evidenceFolder?: string | undefined
}

/** How a deploy ended. A refusal is none of these: it throws before anything is written. */
export type Outcome =
  | 'deployed'
  | 'unchanged'
  | 'planned'
  /** Handed over to Argo CD or Flux. */
  | 'committed'
  | 'rolled-back'
  | 'rollback-failed'
  | 'failed'
  /** The analysis of a canary can't tell: it is left as it is, and people are asked. */
  | 'inconclusive'

export type DeployResult = {
  readonly outcome: Outcome
  readonly release: string
  readonly planHash: string
  readonly changes: readonly Change[]
  /** What would be done, or was, with values; Secrets are masked. */
  readonly plan?: Plan
  /** With GitOps: the commit that holds the release. */
  readonly commit?: string
  /** What may lose requests. */
  readonly warnings?: readonly string[]
  /** The cause in one line, where it did not go well. */
  readonly message: string
  readonly failure?: RolloutFailed
  /** The last good release before, or null. */
  readonly before?: string | null
  /** The images of all workloads, as they were and as the release has them. */
  readonly images?: readonly ImageChange[]
  /** When its pods came, and its requests went elsewhere. */
  readonly timeline?: Timeline
}
