import type { Change } from '../cluster/apply.ts'
import type { Environment } from '../environments/environments.ts'
import type { Files } from '../release/archive.ts'
import type { ImageSet } from '../release/imageset.ts'
import type { RolloutFailed } from './wait.ts'

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
  readonly timeoutSeconds: number
  /** Whether what the last release had and this one lacks is removed. */
  readonly prune: boolean
  readonly onFailure: 'rollback' | 'keep'
  /** Who deploys, for the lease: unique for each run. */
  readonly holder: string
}

/** How a deploy ended. A refusal is none of these: it throws before anything is written. */
export type Outcome =
  'deployed' | 'unchanged' | 'planned' | 'rolled-back' | 'rollback-failed' | 'failed'

export type DeployResult = {
  readonly outcome: Outcome
  readonly release: string
  readonly planHash: string
  readonly changes: readonly Change[]
  /** The cause in one line, where it did not go well. */
  readonly message: string
  readonly failure?: RolloutFailed
}
