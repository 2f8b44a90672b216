import type { Cluster } from '../cluster/cluster.ts'
import { type NamespaceWatch, type Picture } from '../cluster/watch.ts'
import { UserError } from '../errors.ts'
import { numberAt, textAt } from '../json.ts'
import { keyOf, type KubeObject, nameOf } from '../render/manifest.ts'
import type { World } from '../world.ts'
import { type Cause, causeOf, newestPods } from './causes.ts'
import { collectEvidence, type Evidence } from './evidence.ts'
import { isMask, openMask } from './mask.ts'
import { isAwaited, readinessOf } from './readiness.ts'

/** A rollout that will not become what was asked for: the cause in words, and the evidence. */
export class RolloutFailed extends UserError {
  readonly rolloutCause: Cause | undefined
  readonly evidence: readonly Evidence[]
  constructor(message: string, rolloutCause: Cause | undefined, evidence: readonly Evidence[]) {
    super(
      message,
      evidence.flatMap(({ logs, events }) => [
        ...logs.map((line) => `log    ${line}`),
        ...events.map((line) => `event  ${line}`),
      ]),
    )
    this.name = 'RolloutFailed'
    this.rolloutCause = rolloutCause
    this.evidence = evidence
  }
}

/** An operator tries again by itself, and what it says at first may be of the past: it gets this long to change its mind. */
const OPERATOR_PATIENCE_MS = 10_000
/** A look without news is taken this often: pull grace and deadlines pass without any event. */
const LOOK_AGAIN_MS = 2_000

/** An object as the server had it after a write. */
export type Written = { readonly uid: string; readonly generation: number }

export type Waiting = {
  readonly objects: readonly KubeObject[]
  /** By key: a picture that does not have these yet is older than the write, and says nothing about it. */
  readonly written: ReadonlyMap<string, Written>
  readonly namespace: string
  /** Milliseconds since the epoch. */
  readonly deadline: number
}

/** Waits until every object is ready. Throws `RolloutFailed` as soon as one can't become so, or at the deadline. */
export async function waitUntilReady(
  waiting: Waiting,
  watch: NamespaceWatch,
  context: { readonly cluster: Cluster; readonly world: World },
): Promise<void> {
  const { world } = context
  const awaited = waiting.objects.filter((object) => isAwaited(object.kind))
  const patient = world.clock.now().getTime() + OPERATOR_PATIENCE_MS
  for (;;) {
    world.signal.throwIfAborted()
    const picture = watch.picture()
    const now = world.clock.now()
    const states = awaited.map((object) => ({
      object,
      ...(isSeen(object, picture, waiting) ? readinessOf(object, picture) : UNSEEN),
    }))
    world.progress.show(
      states.map(({ object, state, detail }) => `${marks[state]} ${nameOf(object)}: ${detail}`),
    )
    if (states.every(({ state }) => state === 'ready')) return
    for (const { object, state, detail } of states) {
      if (state === 'ready' || detail === UNSEEN.detail) continue
      const cause = causeOf(object, picture, now)
      if (cause?.code === 'secrets' && now.getTime() < patient) continue
      if (cause !== undefined) throw await failure(object, cause, { ...context, waiting })
      if (state !== 'failed') continue
      const job: Cause = { code: 'job', text: detail, ...podOf(object, picture) }
      throw await failure(object, job, { ...context, waiting })
    }
    if (now.getTime() > waiting.deadline) throw await late(states, picture, { ...context, waiting })
    await watch.changed(LOOK_AGAIN_MS)
  }
}

const UNSEEN = { state: 'waiting', detail: 'written, not seen by the watch yet' } as const

function isSeen(object: KubeObject, picture: Picture, { written }: Waiting): boolean {
  const wanted = written.get(keyOf(object))
  const list = (picture as Readonly<Record<string, readonly unknown[]>>)[object.kind]
  // A Service is judged by its endpoints, which another writes.
  if (wanted === undefined || list === undefined) return true
  const live = list.find((item) => textAt(item, 'metadata', 'uid') === wanted.uid)
  return live !== undefined && (numberAt(live, 'metadata', 'generation') ?? 0) >= wanted.generation
}

const marks = { ready: '✓', waiting: '…', failed: '✗' } as const

type FailureContext = {
  readonly cluster: Cluster
  readonly world: World
  readonly waiting: Waiting
}

async function failure(
  object: KubeObject,
  cause: Cause,
  { cluster, waiting }: FailureContext,
): Promise<RolloutFailed> {
  const { namespace } = waiting
  const mask = await openMask(namespace, cluster)
  const what = { object: nameOf(object), cause, namespace, mask }
  const evidence = await collectEvidence(what, cluster)
  const last = cause.subject === undefined ? undefined : evidence.events.at(-1)
  // The words of the kubelet and of an operator: they may quote what they were given.
  const text = isMask(mask) ? mask(cause.text) : cause.text
  return new RolloutFailed(
    `${nameOf(object)} will not become ready: ${last === undefined ? text : `${text}: ${last}`}`,
    { ...cause, text },
    [evidence],
  )
}

async function late(
  states: readonly {
    readonly object: KubeObject
    readonly state: string
    readonly detail: string
  }[],
  picture: Picture,
  context: FailureContext,
): Promise<RolloutFailed> {
  const open = states.filter(({ state }) => state !== 'ready')
  const evidence: Evidence[] = []
  const { namespace } = context.waiting
  const mask = await openMask(namespace, context.cluster)
  for (const { object } of open) {
    const pod = podOf(object, picture)
    if (pod === undefined) continue
    const cause: Cause = { code: 'pod', text: 'not ready in time', ...pod }
    const what = { object: nameOf(object), cause, namespace, mask }
    evidence.push(await collectEvidence(what, context.cluster))
  }
  const list = open.map(({ object, detail }) => `${nameOf(object)} (${detail})`).join(', ')
  return new RolloutFailed(`Not ready in time: ${list}`, undefined, evidence)
}

function podOf(
  object: KubeObject,
  picture: Picture,
): { readonly pod: string; readonly container: string } | undefined {
  const pod = newestPods(object, picture).find(
    (found) => textAt(found, 'metadata', 'deletionTimestamp') === undefined,
  )
  const name = textAt(pod, 'metadata', 'name')
  const container = textAt(pod, 'spec', 'containers', 0, 'name')
  return name === undefined || container === undefined ? undefined : { pod: name, container }
}
