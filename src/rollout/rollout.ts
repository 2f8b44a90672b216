import { applyAll } from '../cluster/apply.ts'
import type { ApplyPlan } from '../cluster/changes.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { discoverResources } from '../cluster/resources.ts'
import { type EnvironmentState, type InventoryEntry, writeState } from '../cluster/state.ts'
import { type NamespaceWatch, watchNamespace } from '../cluster/watch.ts'
import { numberAt, textAt } from '../json.ts'
import { keyOf, type KubeObject } from '../render/manifest.ts'
import { earlyOf } from '../render/early.ts'
import { splitWaves, type Wave } from '../render/waves.ts'
import type { Waves, World } from '../world.ts'
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
  const opened = await watchNamespace(target, cluster, world.signal)
  const leg = timeline?.begin(target.isWayBack)
  const watch = leg?.follow(opened) ?? opened
  const written = new Map<string, Written>()
  const waiting = waitingFor(target, { watch, written }, { cluster, world })
  const inventory: InventoryEntry[] = []
  const stage = { watch, deadline }
  watch.picture()
  const waves = splitWaves(objects)
  const begins = beginnings(waves, target)
  const step = async (name: string, title: string, work: (waves: Waves) => Promise<void>) => {
    const names = waves.map((wave) => wave.name)
    const done = waves.findIndex((wave) => wave.name === name)
    const now = wavesAt(watch, names, done < 0 ? names.length : done)
    const told = () => work(now)
    await world.progress.step(title, () => leg?.wave(name, told) ?? told())
  }
  const between = async (name: string, work: () => Promise<void> | undefined) => {
    await (leg?.between(name, async () => await work()) ?? work())
  }
  try {
    await handover?.begin(stage)
    for (const wave of waves) {
      await step(wave.name, `Roll out ${wave.name}`, async (waves) => {
        await target.confirm?.()
        const begun = begins(wave).filter((object) => !written.has(keyOf(object)))
        await journal.record([...inventory, ...begun.map((object) => ({ object, uid: '' }))])
        for (const [object, live] of await writeWave(begun, { ...target, plan }, cluster)) {
          const identity = identityOf(live)
          inventory.push({ object, uid: identity.uid })
          written.set(keyOf(object), identity)
        }
        await journal.record(inventory)
        const own = wave.objects.filter(({ kind }) => !isReadyLater(kind))
        await waitUntilReady({ ...waiting, objects: own, waves }, watch, { cluster, world })
      })
      await between('shift of requests', () => handover?.shift(stage))
    }
    await step('all ready', 'See that all of it is ready', async (waves) => {
      const current = objects.map((object) => handover?.asNow(object) ?? object)
      const all = { ...waiting, objects: current, untilSettled: true, waves }
      await waitUntilReady(all, watch, { cluster, world })
      await proveImages({ ...waiting, objects }, watch.picture(), { cluster, world })
    })
    await between('bake time', () => handover?.settle(stage))
    await target.confirm?.()
  } finally {
    leg?.end(objects, watch.picture())
    watch.close()
  }
  return inventory
}

function identityOf(live: unknown): Written {
  const generation = numberAt(live, 'metadata', 'generation') ?? 0
  return { uid: textAt(live, 'metadata', 'uid') ?? '', generation }
}

/** What is written with a wave. Where nothing was ever good and nothing of them is there, it is more than the wave itself. */
function beginnings(
  waves: readonly Wave[],
  { state, absent, handover }: RolloutTarget,
): (wave: Wave) => readonly KubeObject[] {
  const early = earlyOf(waves)
  const isFree = (object: KubeObject) =>
    state.good === undefined && absent.has(keyOf(object)) && handover?.handles(object) !== true
  return (wave) =>
    wave === early.beside ? [...wave.objects, ...early.objects.filter(isFree)] : wave.objects
}

function wavesAt(of: object, names: readonly string[], done: number): Waves {
  return { of, done, all: names.length, now: names[done] ?? '', later: names.slice(done + 1) }
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
