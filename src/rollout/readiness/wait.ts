import type { Cluster } from '../../cluster/cluster.ts'
import { type NamespaceWatch, type Picture } from '../../cluster/watch.ts'
import { numberAt, textAt } from '../../json.ts'
import { keyOf, type KubeObject, nameOf } from '../../render/manifest.ts'
import type { Waves, World } from '../../world.ts'
import { type Cause, type CauseContext, causeOf, lateCauseOf } from '../causes/causes.ts'
import { explainFailure, type FailedObject } from '../evidence/explanation.ts'
import { findLive, isTrue, newestPods } from './live.ts'
import { isAwaited, readinessOf } from './readiness.ts'
import { NO_ANSWER } from './routes.ts'
import { type Course, unsettled } from './settling.ts'
import { rowOf } from './row.ts'
import { newSightings, type Sightings } from './sightings.ts'
import type { Readiness } from './verdict.ts'
import { openWitness, type Witness } from './witness.ts'

export { RolloutFailed } from '../failure.ts'

/** A look without news is taken this often: clocks and deadlines pass without any event. */
const LOOK_AGAIN_MS = 1_000
/** A controller of routes looks at once; where there is none, nobody will ever answer. */
const NO_CONTROLLER_MS = 20_000

/** An object as the server had it after a write. */
export type Written = { readonly uid: string; readonly generation: number }

export type Waiting = {
  readonly objects: readonly KubeObject[]
  /** By key: a picture that does not have these yet is older than the write, and says nothing about it. */
  readonly written: ReadonlyMap<string, Written>
  readonly namespace: string
  /** Milliseconds since the epoch. */
  readonly deadline: number
  /** What the whole rollout remembers; without it nothing is new. */
  readonly course?: Course
  /** Whether new pods must have stayed ready for a moment: at the end of a rollout. */
  readonly untilSettled?: boolean
  /** Looked after at every look, such as pods that their controller leaves stuck. */
  readonly onLook?: (picture: Picture) => Promise<void>
  /** Where evidence is kept as files, before anything is reverted. */
  readonly evidenceFolder?: string
  /** The objects of the last good release, to show what is different now. */
  readonly before?: readonly KubeObject[]
  /** How far the rollout is that this belongs to. */
  readonly waves?: Waves
}

export type WaitContext = { readonly cluster: Cluster; readonly world: World }

type Look = {
  readonly states: readonly (FailedObject & { readonly readiness: Readiness })[]
  readonly context: Omit<CauseContext, 'isAlone'>
}

/** Waits until every object is ready. Throws `RolloutFailed` as soon as one can't become so, or at the deadline. */
export async function waitUntilReady(
  waiting: Waiting,
  watch: NamespaceWatch,
  { cluster, world }: WaitContext,
): Promise<void> {
  const sightings = waiting.course?.sightings ?? newSightings(world.clock)
  const witness = openWitness(cluster, world)
  const fail = (found: readonly FailedObject[], picture: Picture) =>
    explainFailure({ found, waiting, picture }, cluster, world)
  for (;;) {
    world.signal.throwIfAborted()
    // While the server is away nothing is known: neither that it is ready nor that it is broken.
    const isCurrent = watch.isCurrent()
    if (isCurrent) sightings.look()
    else sightings.doubt()
    const picture = watch.picture()
    const look = lookAt(waiting, { picture, sightings, witness })
    const held = waiting.course === undefined ? [] : unsettled(waiting.course, picture)
    const shown = waiting.untilSettled === true ? held : []
    show(look, { isCurrent, held: shown, waves: waiting.waves }, world)
    const open = look.states.filter(({ readiness }) => readiness.state !== 'ready')
    const isSettled = waiting.untilSettled !== true || held.length === 0
    if (isCurrent && open.length === 0 && isSettled) return
    if (isCurrent) {
      const broken = brokenAmong(open, look.context)
      if (broken !== undefined) {
        show(asBroken(look, broken), { isCurrent, held: [], waves: waiting.waves }, world)
        throw await fail([broken], picture)
      }
    }
    if (world.clock.now().getTime() > waiting.deadline) {
      // What is asked for only now has to be answered before it can be a cause.
      lateAmong(open, look.context)
      await witness.heard()
      throw await fail(lateAmong(open, look.context), picture)
    }
    await waiting.onLook?.(picture)
    await watch.changed(LOOK_AGAIN_MS)
  }
}

function lookAt(
  waiting: Waiting,
  context: {
    readonly picture: Picture
    readonly sightings: Sightings
    readonly witness: Witness
  },
): Look {
  const { picture, sightings, witness } = context
  const states = waiting.objects
    .filter((object) => isAwaited(object.kind))
    .map((object) => {
      const found = isSeen(object, picture, waiting)
        ? readinessOf(object, picture, witness)
        : UNSEEN
      const isMute =
        found.detail === NO_ANSWER &&
        sightings.heldFor(`no answer for ${nameOf(object)}`) > NO_CONTROLLER_MS
      const readiness: Readiness = isMute
        ? { state: 'ready', detail: 'written; no controller of the cluster answers for it' }
        : lastKnown(object, found, sightings)
      return { object, detail: readiness.detail, readiness }
    })
  return { states, context }
}

/** A Job that removes itself when it is done (ttlSecondsAfterFinished) was seen to be done; one that was not is missed. */
function lastKnown(object: KubeObject, found: Readiness, sightings: Sightings): Readiness {
  if (object.kind !== 'Job') return found
  if (found.state === 'ready') sightings.first(`${nameOf(object)} came right`, true)
  const isGone = found.detail === 'not there yet' || found.detail === UNSEEN.detail
  return isGone && sightings.known(`${nameOf(object)} came right`)
    ? { state: 'ready', detail: 'complete, and removed since' }
    : found
}

const UNSEEN: Readiness = { state: 'waiting', detail: 'written, not seen by the watch yet' }

function isSeen(object: KubeObject, picture: Picture, { written }: Waiting): boolean {
  const wanted = written.get(keyOf(object))
  const list = (picture as Readonly<Record<string, readonly unknown[]>>)[object.kind]
  // A Service is judged by its endpoints, which another writes.
  if (wanted === undefined || list === undefined) return true
  const live = findLive(object, list)
  return (
    textAt(live, 'metadata', 'uid') === wanted.uid &&
    (numberAt(live, 'metadata', 'generation') ?? 0) >= wanted.generation
  )
}

/** The first that will not come right by itself, with its cause. */
function brokenAmong(
  open: Look['states'],
  context: Omit<CauseContext, 'isAlone'>,
): FailedObject | undefined {
  const working = open.filter(({ object }) => newestPods(object, context.picture).length > 0)
  for (const { object, readiness } of open) {
    if (readiness.detail === UNSEEN.detail) continue
    const isAlone = working.every((other) => other.object === object)
    const cause = causeOf(object, { ...context, isAlone })
    if (cause !== undefined) return { object, cause, detail: readiness.detail }
    if (readiness.state !== 'failed') continue
    const { code, detail, remedy } = readiness
    const deeper = code === 'not-ready' ? lateCauseIn(object, context) : undefined
    const own: Cause = { code, text: detail, remedy, ...lastPodOf(object, context.picture) }
    return { object, cause: deeper ?? own, detail }
  }
  return undefined
}

/** Time is up: what would have been waited for longer is the cause now. */
function lateAmong(
  open: Look['states'],
  context: Omit<CauseContext, 'isAlone'>,
): readonly FailedObject[] {
  return open.map(({ object, detail }) => {
    const cause = lateCauseIn(object, context)
    return { object, detail, isLate: true, ...(cause === undefined ? {} : { cause }) }
  })
}

function lateCauseIn(
  object: KubeObject,
  context: Omit<CauseContext, 'isAlone'>,
): Cause | undefined {
  const over = { ...context.sightings, heldFor: () => Number.POSITIVE_INFINITY }
  const last = { ...context, sightings: over, isAlone: true, isLast: true }
  return causeOf(object, last) ?? lateCauseOf(object, last)
}

function lastPodOf(object: KubeObject, picture: Picture): Pick<Cause, 'pod' | 'container'> {
  const pods = newestPods(object, picture).toSorted((a, b) => bornOf(a).localeCompare(bornOf(b)))
  const pod = pods.findLast((found) => !isTrue(found, 'Ready')) ?? pods.at(-1)
  const name = textAt(pod, 'metadata', 'name')
  const container = textAt(pod, 'spec', 'containers', 0, 'name')
  return name === undefined || container === undefined ? {} : { pod: name, container }
}

function bornOf(pod: unknown): string {
  return textAt(pod, 'metadata', 'creationTimestamp') ?? ''
}

/** The same picture, with the object that will not come right marked so. */
function asBroken(look: Look, { object, cause }: FailedObject): Look {
  if (cause === undefined) return look
  const { code, text: detail, remedy } = cause
  const readiness = { state: 'failed', code, detail, remedy } as const
  const states = look.states.map((one) => (one.object === object ? { ...one, readiness } : one))
  return { ...look, states }
}

function show(
  { states, context }: Look,
  now: {
    readonly isCurrent: boolean
    readonly held: readonly string[]
    readonly waves: Waves | undefined
  },
  world: World,
): void {
  const rows = [
    ...states.map(({ object, readiness }) => rowOf(object, readiness, context.picture)),
    ...now.held.map((line) => `… ${line}`),
    ...(now.isCurrent ? [] : ['… the API server does not answer just now: waiting for it']),
  ]
  world.progress.show(rows, now.waves)
}
