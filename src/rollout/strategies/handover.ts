import { applyObject } from '../../cluster/apply.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { Resources } from '../../cluster/resources.ts'
import type { Strategy } from '../../environments/strategy.ts'
import { messageOf, UserError } from '../../errors.ts'
import { numberAt } from '../../json.ts'
import { keyOf, type KubeObject } from '../../render/manifest.ts'
import type { World } from '../../world.ts'
import type { TimelineRecorder } from '../timeline.ts'
import { holdAutoscalers } from './autoscalers.ts'
import { bake } from './bake.ts'
import { firstCount, runCanary } from './canary.ts'
import { removeDeployment, scale, waitUntilLeaving } from './deployments.ts'
import { foresee } from './foresight.ts'
import { type Ground, oldName, point, type Stage } from './ground.ts'
import { type Labels, SET } from './labels.ts'
import { holdSelector, isStay, type Move, planMoves, type Seen, type Traffic } from './moves.ts'
import { swapSelector, withSelector } from './selector.ts'
import { isSet, scales, selectorOf, wantedReplicas } from './sets.ts'
import { switchTraffic } from './switch.ts'
import { turnBack } from './turnback.ts'

/** What stands between a rollout and the requests of its workloads, from its first write to the last old pod. */
export type Handover = {
  /** For the state: what serves now, so that a run after one that was killed knows it too. */
  readonly traffic: Traffic
  /** What will be shifted and how, in words; empty where nothing is. */
  readonly plan: readonly string[]
  /** Before the first write: each Service keeps to the pods that serve now. */
  begin: (stage: Stage) => Promise<void>
  /** Whether an object is written by `write` instead of like all others. */
  handles: (object: KubeObject) => boolean
  write: (object: KubeObject, resources: Resources) => Promise<unknown>
  /** To be called after each wave: shifts the requests as soon as all new sets are written and ready. */
  shift: (stage: Stage) => Promise<void>
  /** An object as it stands until `settle`: a Service may mean fewer pods than the release has it. */
  asNow: (object: KubeObject) => KubeObject
  /** When everything is ready: the bake time, then the old sets go. */
  settle: (stage: Stage) => Promise<void>
  /** Where the rollout failed: the requests go back at once, then the new sets go. Never throws. */
  abort: () => Promise<void>
}

export type HandoverTarget = {
  /** As `asSets` made them. */
  readonly objects: readonly KubeObject[]
  readonly strategy: Strategy
  /** What a killed run had found. */
  readonly before: Traffic
  /** What a plan has just read; without it the Services are asked for. */
  readonly live?: Seen
  readonly timeline: TimelineRecorder
}

/** Looks what serves now and what has to move. Throws `UserError` where the strategy can't be had; nothing is written. */
export async function openHandover(
  target: HandoverTarget,
  cluster: Cluster,
  world: World,
): Promise<Handover> {
  const { objects, strategy, before, live, timeline } = target
  const all = await planMoves(objects, { before, live }, cluster)
  const moves = all.filter((move) => !isStay(move))
  const stays = all.filter(isStay)
  const selectors = new Map<string, Labels>()
  const ground: Ground = { moves, objects, strategy, cluster, world, timeline, selectors }
  const { canaries, others } = split(ground)
  const written = new Set<string>()
  const done = { begun: false, shifted: false }
  return {
    traffic: Object.fromEntries(
      moves.map(({ workload, from: { deployment, replicas } }) => [
        workload,
        { deployment, replicas },
      ]),
    ),
    plan: await foresee(ground),
    begin: async (stage) => {
      done.begun = true
      await begin(stays, ground, stage)
    },
    handles: (object) =>
      serviceIn(all, object) !== undefined ||
      isSet(object) ||
      moves.some(({ to }) => keyOf(to) === keyOf(object)),
    write: async (object, resources) => {
      if (object.kind === 'Service') return await writeService(object, { all, ground, resources })
      const live = await applyObject(object, resources, cluster)
      written.add(object.metadata.name)
      return await count(object, live, ground)
    },
    shift: async (stage) => {
      if (done.shifted || !moves.every(({ to }) => written.has(to.metadata.name))) return
      done.shifted = true
      if (others.length > 0)
        await world.progress.step('Shift the requests', () => switchTraffic(others, ground, stage))
      if (strategy.type === 'canary' && canaries.length > 0)
        await runCanary(canaries, strategy, { ground, stage })
    },
    asNow: (object) => {
      const now = object.kind === 'Service' ? selectors.get(object.metadata.name) : undefined
      return now === undefined ? object : withSelector(object, now)
    },
    settle: async (stage) => {
      if (moves.length > 0)
        await world.progress.step('Keep the old pods for a way back', () =>
          bake(moves, ground, stage),
        )
      await cleanUp([...moves, ...stays], ground, stage)
    },
    abort: async () => {
      if (done.begun) await turnBack(moves, ground)
    },
  }
}

/** A set that is new gets its share by a canary; where it leads away from sets, or by blue-green, all at once. */
function split({ moves, strategy }: Ground): {
  readonly canaries: readonly Move[]
  readonly others: readonly Move[]
} {
  const canaries = strategy.type === 'canary' ? moves.filter(({ to }) => isSet(to)) : []
  return { canaries, others: moves.filter((move) => !canaries.includes(move)) }
}

async function begin(stays: readonly Move[], ground: Ground, stage: Stage): Promise<void> {
  const { moves, objects, cluster, world } = ground
  for (const move of moves) {
    for (const { object, selector } of move.services) {
      const hold = holdSelector(selector, move)
      await point(
        object,
        { selector: hold, ours: [selector], what: oldName(move), side: 'old' },
        ground,
      )
    }
    await holdAutoscalers(move, objects, { cluster, min: move.from.replicas, max: undefined })
  }
  // Without requests now, and in the way of a selector that will mean old and new pods.
  const plain = stays.filter(({ to }) => !isSet(to))
  for (const { namespace, stale } of [...moves, ...plain])
    for (const { deployment, uid, labels } of stale) {
      await removeDeployment({ namespace, name: deployment, uid }, cluster)
      world.progress.say(`deleted Deployment ${namespace}/${deployment}, left by an earlier run`)
      if (labels[SET] !== undefined) await waitUntilLeaving(labels, stage.watch, world)
    }
}

/** Everything of a Service but its selector is written at once; that follows the pods. */
async function writeService(
  object: KubeObject,
  on: { readonly all: readonly Move[]; readonly ground: Ground; readonly resources: Resources },
): Promise<unknown> {
  const move = serviceIn(on.all, object)
  const wanted = selectorOf(object)
  const held = on.ground.selectors.get(object.metadata.name)
  const selector = move === undefined || isStay(move) ? wanted : (held ?? wanted)
  return await applyObject(withSelector(object, selector), on.resources, on.ground.cluster)
}

/** Gives a Deployment that was just written its number of pods. Returns it as the server has it now. */
async function count(object: KubeObject, live: unknown, ground: Ground): Promise<unknown> {
  const { name, namespace = '' } = object.metadata
  const now = numberAt(live, 'spec', 'replicas') ?? 1
  const wanted = wantedNow(object, ground) ?? now
  return wanted === now ? live : await scale({ namespace, name, replicas: wanted }, ground.cluster)
}

function wantedNow(object: KubeObject, { moves, objects, strategy }: Ground): number | undefined {
  const { name } = object.metadata
  const move = moves.find(({ to }) => to.metadata.name === name)
  if (move !== undefined)
    return strategy.type === 'canary' && isSet(object) ? firstCount(move, strategy) : move.replicas
  // It serves already: then its autoscaler knows better, if it has one.
  return objects.some((found) => scales(found, name)) ? undefined : wantedReplicas(object)
}

/** What nobody needs any more. That it could not be removed is said, and no reason to go back. */
async function cleanUp(moves: readonly Move[], ground: Ground, stage: Stage): Promise<void> {
  const { cluster, world } = ground
  for (const move of moves) {
    const { namespace, from, stale, services } = move
    const old = isStay(move) ? stale : [from, ...stale]
    try {
      for (const { deployment: name, uid, labels } of old) {
        if (await removeDeployment({ namespace, name, uid }, cluster))
          world.progress.say(`deleted Deployment ${namespace}/${name}, which ran before`)
        await waitUntilLeaving(labels, stage.watch, world)
      }
      // An ordinary Deployment ends with the selector of the manifests, which means its future pods too.
      for (const { object } of isStay(move) ? [] : services) {
        const now = ground.selectors.get(object.metadata.name)
        const swap = { service: object, expected: now === undefined ? [] : [now] }
        await swapSelector({ ...swap, selector: selectorOf(object) }, cluster)
      }
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      world.progress.warn(`${messageOf(error)}; the next deploy tries again`)
    }
  }
}

function serviceIn(moves: readonly Move[], object: KubeObject): Move | undefined {
  if (object.kind !== 'Service') return undefined
  return moves.find(({ services }) =>
    services.some(({ object: { metadata } }) => metadata.name === object.metadata.name),
  )
}
