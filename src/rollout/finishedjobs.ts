import type { Cluster } from '../cluster/cluster.ts'
import type { InventoryEntry } from '../cluster/state.ts'
import { isRemovedAfterSuccess } from '../render/hooks.ts'
import { keyOf } from '../render/manifest.ts'
import type { World } from '../world.ts'
import type { Prepared } from './preflight/prepare.ts'
import { removeObjects } from './prune.ts'

/** Jobs that ran for an earlier release and are not run again: the inventory is where that is known. */
export function doneJobs({ state, objects, plan }: Prepared): readonly InventoryEntry[] {
  const run = new Set(objects.map(keyOf))
  const done = new Set(
    plan.changes.map(({ object }) => keyOf(object)).filter((key) => !run.has(key)),
  )
  return (state?.good?.inventory ?? []).filter(({ object }) => done.has(keyOf(object)))
}

/** Hooks of a chart that want to be gone when they have done their work. */
export async function removeFinishedHooks(
  {
    prepared,
    inventory,
  }: { readonly prepared: Prepared; readonly inventory: readonly InventoryEntry[] },
  cluster: Cluster,
  world: World,
): Promise<void> {
  const written = new Set(
    prepared.plan.changes
      .filter(({ action }) => action !== 'unchanged')
      .map(({ object }) => keyOf(object)),
  )
  const finished = inventory.filter(
    ({ object }) => isRemovedAfterSuccess(object) && written.has(keyOf(object)),
  )
  await removeObjects(finished, cluster, world)
}
