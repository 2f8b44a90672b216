import type { Past } from '../../src/edge/refused.ts'
import type { Environment } from '../../src/environments/environments.ts'
import type { Change } from '../../src/cluster/changes.ts'
import { nameOf } from '../../src/render/manifest.ts'
import type { Step } from '../../src/report/steps.ts'
import type { Evidence } from '../../src/rollout/evidence/evidence.ts'
import type { ImageChange } from '../../src/rollout/imagechanges.ts'
import type { DeployResult, Outcome } from '../../src/rollout/outcome.ts'
import type { PlannedChange } from '../../src/rollout/preflight/plan.ts'
import type { Timeline } from '../../src/rollout/timeline.ts'

/** Where and how a deploy ran. */
export type Circumstances = Past & {
  readonly environment: Environment
  /** Where the evidence of a failure was written. */
  readonly evidenceFolder?: string | undefined
}

export type ReportedChange = Pick<PlannedChange, 'object' | 'action' | 'taken'> & {
  readonly fields: readonly string[]
  readonly values: readonly {
    readonly path: string
    readonly before: string | null
    readonly after: string | null
  }[]
}

/** The report as data: schemas/deploy.v1.schema.json. Page and summary say nothing that it does not. */
export type DeployReport = {
  readonly kind: 'deploy'
  readonly version: 1
  readonly outcome: Outcome
  readonly release: string
  readonly before: string | null
  readonly planHash: string
  readonly environment: string
  readonly namespace: string
  readonly url: string
  readonly message: string
  readonly failure: string | null
  readonly cause: string | null
  readonly images: readonly ImageChange[]
  readonly changes: readonly ReportedChange[]
  readonly warnings: readonly string[]
  readonly commit: string | null
  readonly strategy: Environment['strategy']['type']
  readonly timeline: Timeline | null
  readonly evidence: readonly Evidence[]
  readonly steps: readonly Step[]
  readonly at: string
  readonly seconds: number
}

export function describeDeploy(result: DeployResult, how: Circumstances): DeployReport {
  const { outcome, release, planHash, message, failure } = result
  const { environment, seconds, steps, at } = how
  const changes = result.plan?.changes ?? result.changes.flatMap(plainChange)
  return {
    ...{ kind: 'deploy', version: 1, outcome, release, before: result.before ?? null, planHash },
    environment: environment.name,
    namespace: environment.namespace,
    url: environment.url,
    message,
    failure: failure?.message ?? null,
    cause: failure?.rolloutCause?.code ?? null,
    images: result.images ?? [],
    changes: changes.map(({ object, action, fields, taken }) => ({
      ...{ object, action, taken },
      fields: fields.map(({ path }) => path),
      values: fields.map(({ path, before = null, after = null }) => ({ path, before, after })),
    })),
    warnings: result.warnings ?? [],
    commit: result.commit ?? null,
    ...{ strategy: environment.strategy.type, timeline: result.timeline ?? null },
    evidence: failure?.evidence ?? [],
    ...{ steps, at: at.toISOString(), seconds },
  }
}

/** The plan as it was shown before the deploy. */
export function plannedOf({ changes }: Pick<DeployReport, 'changes'>): readonly PlannedChange[] {
  return changes.map(({ object, action, taken, values }) => ({
    ...{ object, action, taken },
    fields: values.map(({ path, before, after }) => ({
      ...{ path, before: before ?? undefined, after: after ?? undefined },
    })),
  }))
}

/** Where there is no plan: names of fields, without values. */
function plainChange({ object, action, fields }: Change): readonly PlannedChange[] {
  if (action === 'unchanged') return []
  const paths = fields.map((path) => ({ path, before: undefined, after: undefined }))
  return [{ object: nameOf(object), action, fields: paths, taken: [] }]
}
