import { applyObject, deleteObject } from '../cluster/apply.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { discoverResources } from '../cluster/resources.ts'
import { type EnvironmentState, type InventoryEntry, writeState } from '../cluster/state.ts'
import { watchNamespace } from '../cluster/watch.ts'
import { UserError } from '../errors.ts'
import { numberAt, textAt } from '../json.ts'
import { keyOf, type KubeObject, nameOf } from '../render/manifest.ts'
import { splitWaves } from '../render/waves.ts'
import type { World } from '../world.ts'
import { withSecretTimes } from './rotation.ts'
import { waitUntilReady, type Written } from './wait.ts'

export type RolloutTarget = {
  readonly namespace: string
  readonly objects: readonly KubeObject[]
  /** Milliseconds since the epoch. */
  readonly deadline: number
  readonly state: EnvironmentState
  /** Whether to remove what the last good release had and this one lacks. */
  readonly prune: boolean
  /** Keys of the objects that were not there before: only these may be removed when it fails. */
  readonly absent: ReadonlySet<string>
  /** Whether it leads back to pods that were good: then they stay, whatever has become of their Secrets. */
  readonly isWayBack: boolean
}

/** Deleting these loses data or far more than one application; they are left, and said. */
const NEVER_REMOVED = ['Namespace', 'PersistentVolumeClaim', 'PersistentVolume']
/** A database that a release no longer names is more likely forgotten than unwanted. */
const NEVER_PRUNED = [...NEVER_REMOVED, 'StatefulSet']
/** A release that drops more than this share of what was there is more likely a mistake. */
const PRUNE_SHARE = 0.5
const PRUNE_FREE = 5

/**
 * Writes the objects wave by wave, each ready before the next; then everything together; then removes what the last release had
 * and this one has not. Returns the inventory with UIDs. The journal is written before the objects, so a killed run can be undone.
 */
export async function rollOut(
  target: RolloutTarget,
  cluster: Cluster,
  world: World,
): Promise<readonly InventoryEntry[]> {
  const { namespace, objects, deadline } = target
  const resources = discoverResources(cluster)
  const journal = openJournal(target, cluster)
  const watch = await watchNamespace(target, cluster, world.signal)
  const inventory: InventoryEntry[] = []
  const written = new Map<string, Written>()
  try {
    for (const wave of splitWaves(objects)) {
      await world.progress.step(`Roll out ${wave.name}`, async () => {
        await journal.record([...inventory, ...wave.objects.map((object) => ({ object, uid: '' }))])
        // Once more: a Secret may be new since the wave of the configuration.
        const current = target.isWayBack
          ? wave.objects
          : await withSecretTimes(wave.objects, objects, cluster)
        for (const object of current) {
          const live = await applyObject(object, resources, cluster)
          const uid = textAt(live, 'metadata', 'uid') ?? ''
          inventory.push({ object, uid })
          const generation = numberAt(live, 'metadata', 'generation') ?? 0
          written.set(keyOf(object), { uid, generation })
        }
        await journal.record(inventory)
        const own = wave.objects.filter((object) => object.kind !== 'Service')
        await waitUntilReady({ objects: own, namespace, deadline, written }, watch, {
          cluster,
          world,
        })
      })
    }
    await world.progress.step('See that all of it is ready', () =>
      waitUntilReady({ objects, namespace, deadline, written }, watch, { cluster, world }),
    )
  } finally {
    watch.close()
  }
  if (target.prune) await pruneObjects(target, cluster, world)
  return inventory
}

/** Remembers, in the cluster, what this run creates and the last good release did not have. The UID is known afterwards. */
function openJournal(
  target: RolloutTarget,
  cluster: Cluster,
): { record: (written: readonly InventoryEntry[]) => Promise<void> } {
  const known = new Set((target.state.good?.inventory ?? []).map(({ object }) => keyOf(object)))
  const { pending } = target.state
  return {
    record: async (written) => {
      if (pending === undefined) return
      const fresh = written
        .filter(({ object }) => target.absent.has(keyOf(object)))
        .filter(({ object }) => !known.has(keyOf(object)))
      const created = new Map(
        [...pending.created, ...fresh].map((entry) => [keyOf(entry.object), entry]),
      )
      await writeState(
        target.namespace,
        { ...target.state, pending: { ...pending, created: [...created.values()] } },
        cluster,
      )
    },
  }
}

/** What the last good release had and these objects lack. Throws where that is suspiciously much. */
export function prunable(
  objects: readonly KubeObject[],
  state: EnvironmentState | undefined,
): readonly InventoryEntry[] {
  const wanted = new Set(objects.map(keyOf))
  const before = state?.good?.inventory ?? []
  const gone = before.filter(({ object }) => !wanted.has(keyOf(object)))
  if (gone.length <= Math.max(PRUNE_FREE, before.length * PRUNE_SHARE)) return gone
  throw new UserError(
    `This release lacks ${gone.length} of the ${before.length} objects that are deployed; nothing was changed. Check the overlay`,
    gone.map(({ object }) => nameOf(object)),
  )
}

async function pruneObjects(target: RolloutTarget, cluster: Cluster, world: World): Promise<void> {
  const gone = prunable(target.objects, target.state)
  const kept = gone.filter(({ object }) => NEVER_PRUNED.includes(object.kind))
  for (const { object } of kept)
    world.progress.warn(`${nameOf(object)} is left: delete it by hand if nobody needs its data`)
  await removeObjects(
    gone.filter((entry) => !kept.includes(entry)),
    cluster,
    world,
  )
}

/** Deletes entries by UID; claims, volumes and namespaces are left, for they hold data. */
export async function removeObjects(
  entries: readonly InventoryEntry[],
  cluster: Cluster,
  world: World,
): Promise<void> {
  for (const { object, uid } of entries) {
    if (NEVER_REMOVED.includes(object.kind)) continue
    if (await deleteObject(object, uid, cluster)) world.progress.say(`deleted ${nameOf(object)}`)
  }
}
