import { applyAll } from '../cluster/apply.ts'
import type { ApplyPlan } from '../cluster/changes.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { discoverResources } from '../cluster/resources.ts'
import { type EnvironmentState, type InventoryEntry, writeState } from '../cluster/state.ts'
import { type NamespaceWatch, watchNamespace } from '../cluster/watch.ts'
import { numberAt, textAt } from '../json.ts'
import { keyOf, type KubeObject } from '../render/manifest.ts'
import type { World } from '../world.ts'
import { wavesOf, withdrawCrashed } from './headstart.ts'
import { proveImages } from './readiness/imageproof.ts'
import { uidOf } from './readiness/live.ts'
import { isAwaited, isReadyLater } from './readiness/readiness.ts'
import { withSecretTimes } from './rotation.ts'
import type { Course } from './readiness/settling.ts'
import { newSightings } from './readiness/sightings.ts'
import type { Handover } from './strategies/handover.ts'
import { replaceStuckPods } from './stuckpods.ts'
import type { TimelineRecorder } from './timeline.ts'
import { type Waiting, waitUntilReady, type Written } from './readiness/wait.ts'

export type RolloutTarget = {
  readonly namespace: string
  readonly objects: readonly KubeObject[]
  /** Milliseconds since the epoch. */
  readonly deadline: number
  readonly state: EnvironmentState
  /** What a dry run found: what is as it should be is not written again. Without it everything is written. */
  readonly plan?: ApplyPlan
  /** Keys of the objects that were not there before: only these may be removed when it fails. */
  readonly absent: ReadonlySet<string>
  /** Whether it leads back to pods that were good: then they stay, whatever has become of their Secrets. */
  readonly isWayBack: boolean
  /** Makes sure that nobody else deploys here by now; throws where somebody does. */
  readonly confirm?: () => Promise<void>
  /** Where evidence of a failure is kept as files. */
  readonly evidenceFolder?: string | undefined
  /** How long new pods must stay ready where their workload does not say it itself. */
  readonly settleSeconds?: number | undefined
  /** Shifts the requests where the strategy or a change of it wants that. */
  readonly handover?: Handover
  readonly timeline?: TimelineRecorder
}

const SETTLE_S = 5

/**
 * Writes the objects wave by wave, each ready before the next; then sees everything together, with the images that really run. Returns
 * the inventory with UIDs. The journal is written before the objects, so a killed run can be undone.
 */
export async function rollOut(
  target: RolloutTarget,
  cluster: Cluster,
  world: World,
): Promise<readonly InventoryEntry[]> {
  const { objects, deadline, handover, timeline } = target
  const plan = target.plan ?? { changes: [], resources: discoverResources(cluster) }
  const journal = openJournal(target, cluster)
  const watch = await watchNamespace(target, cluster, world.signal)
  const written = new Map<string, Written>()
  const waiting = waitingFor(target, { watch, written }, { cluster, world })
  const inventory = new Map<string, InventoryEntry>()
  const stage = { watch, deadline }
  timeline?.capture(watch.picture())
  try {
    await handover?.begin(stage)
    for (const wave of wavesOf(objects, (object) => isFree(object, target))) {
      await world.progress.step(`Roll out ${wave.name}`, async () => {
        await target.confirm?.()
        const early = wave.objects.filter((one) => written.has(keyOf(one)))
        for (const object of await withdrawCrashed(early, watch.picture(), cluster))
          written.delete(keyOf(object))
        const begun = [...wave.objects, ...wave.started].filter((one) => !written.has(keyOf(one)))
        for (const object of begun) inventory.set(keyOf(object), { object, uid: '' })
        await journal.record([...inventory.values()])
        for (const [object, live] of await writeWave(begun, { ...target, plan }, cluster)) {
          const uid = textAt(live, 'metadata', 'uid') ?? ''
          inventory.set(keyOf(object), { object, uid })
          const generation = numberAt(live, 'metadata', 'generation') ?? 0
          written.set(keyOf(object), { uid, generation })
        }
        await journal.record([...inventory.values()])
        const own = wave.objects.filter(({ kind }) => !isReadyLater(kind))
        await waitUntilReady({ ...waiting, objects: own }, watch, { cluster, world })
      })
      await handover?.shift(stage)
    }
    await world.progress.step('See that all of it is ready', async () => {
      const current = objects.map((object) => handover?.asNow(object) ?? object)
      const all = { ...waiting, objects: current, untilSettled: true }
      await waitUntilReady(all, watch, { cluster, world })
      await proveImages({ ...waiting, objects }, watch.picture(), { cluster, world })
    })
    await handover?.settle(stage)
    await target.confirm?.()
  } finally {
    timeline?.capture(watch.picture())
    watch.close()
  }
  return [...inventory.values()]
}

/** Nothing of it is there, nor was anything of this environment ever good. */
function isFree(object: KubeObject, { state, absent, handover }: RolloutTarget): boolean {
  if (state.good !== undefined || handover?.handles(object) === true) return false
  return absent.has(keyOf(object))
}

function waitingFor(
  target: RolloutTarget,
  { watch, written }: { readonly watch: NamespaceWatch; readonly written: Map<string, Written> },
  context: { readonly cluster: Cluster; readonly world: World },
): Omit<Waiting, 'objects'> {
  const { namespace, objects, deadline, evidenceFolder } = target
  const before = target.isWayBack ? undefined : target.state.good?.inventory
  const sightings = newSightings(context.world.clock)
  const course: Course = {
    objects: objects.filter(({ kind }) => isAwaited(kind)),
    before: new Set(watch.picture().Pod.map(uidOf)),
    sightings,
    settleMs: (target.settleSeconds ?? SETTLE_S) * 1000,
  }
  return {
    ...{ namespace, deadline, written, course },
    ...(evidenceFolder === undefined ? {} : { evidenceFolder }),
    ...(before === undefined ? {} : { before: before.map(({ object }) => object) }),
    onLook: (picture) => replaceStuckPods(objects, { picture, sightings }, context),
  }
}

/** Writes the objects of a wave, each by who is responsible for it. Returns them as the server has them now. */
async function writeWave(
  objects: readonly KubeObject[],
  target: RolloutTarget & { readonly plan: ApplyPlan },
  cluster: Cluster,
): Promise<readonly (readonly [KubeObject, unknown])[]> {
  const { handover, plan } = target
  // Once more: a Secret may be new since the wave of the configuration.
  const current = target.isWayBack
    ? objects
    : await withSecretTimes(objects, target.objects, cluster)
  const isHanded = (object: KubeObject) => handover?.handles(object) === true
  const plain = current.filter((object) => !isHanded(object))
  const answers = new Map(await applyAll(plain, plan, cluster))
  for (const object of current.filter(isHanded))
    answers.set(keyOf(object), await handover?.write(object, plan.resources))
  return current.map((object) => [object, answers.get(keyOf(object))])
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
