import type { Cluster } from '../cluster/cluster.ts'
import { UserError } from '../errors.ts'
import { canonicalJson } from '../json.ts'
import type { DeployOptions } from './outcome.ts'
import { planLines } from './preflight/plan.ts'
import type { Prepared } from './preflight/prepare.ts'
import { withSecretTimes } from './rotation.ts'

/** Whether nothing is to be written: this release is the good one, nothing differs from it, and no pods are older than their Secrets. */
export async function isSettled(
  { state, plan, whole, rendered, objects }: Prepared,
  { source }: DeployOptions,
  cluster: Cluster,
): Promise<boolean> {
  if (state?.good?.release !== source.identity || state.pending !== undefined) return false
  if (whole.changes.length > 0) return false
  // Only a store that was asked again can have brought a newer Secret since the plan.
  if (!rendered.some(({ kind }) => kind === 'ExternalSecret')) return true
  const timed = await withSecretTimes(
    objects,
    plan.changes.map(({ object }) => object),
    cluster,
  )
  return canonicalJson(timed) === canonicalJson(objects)
}

/** What was agreed to is what is done. */
export function requirePlan(hash: string | undefined, { whole }: Prepared): void {
  if (hash === undefined || hash === '' || hash === whole.hash) return
  throw new UserError(
    'What would be done is not what the plan says; nothing was changed. Look at the plan below, and give its hash if it is right',
    [`asked for: ${hash}`, `it is now: ${whole.hash}`, ...planLines(whole)],
    { code: 'plan-changed' },
  )
}
