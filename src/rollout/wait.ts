import type { Cluster } from '../cluster/cluster.ts'
import { type NamespaceWatch, type Picture } from '../cluster/watch.ts'
import { UserError } from '../errors.ts'
import { textAt } from '../json.ts'
import { type KubeObject, nameOf } from '../render/manifest.ts'
import type { World } from '../world.ts'
import { type Cause, causeOf, newestPods } from './causes.ts'
import { collectEvidence, type Evidence } from './evidence.ts'
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

/** A look without news is taken this often: pull grace and deadlines pass without any event. */
const LOOK_AGAIN_MS = 2_000

export type Waiting = {
  readonly objects: readonly KubeObject[]
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
  for (;;) {
    world.signal.throwIfAborted()
    const picture = watch.picture()
    const now = world.clock.now()
    const states = awaited.map((object) => ({ object, ...readinessOf(object, picture) }))
    world.progress.show(
      states.map(({ object, state, detail }) => `${marks[state]} ${nameOf(object)}: ${detail}`),
    )
    if (states.every(({ state }) => state === 'ready')) return
    for (const { object, state, detail } of states) {
      if (state === 'ready') continue
      const cause = causeOf(object, picture, now)
      if (cause !== undefined) throw await failure(object, cause, { ...context, waiting })
      if (state !== 'failed') continue
      const job: Cause = { code: 'job', text: detail, ...podOf(object, picture) }
      throw await failure(object, job, { ...context, waiting })
    }
    if (now.getTime() > waiting.deadline) throw await late(states, picture, { ...context, waiting })
    await watch.changed(LOOK_AGAIN_MS)
  }
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
  const evidence = await collectEvidence({ object: nameOf(object), cause, namespace }, cluster)
  return new RolloutFailed(`${nameOf(object)} will not become ready: ${cause.text}`, cause, [
    evidence,
  ])
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
  for (const { object } of open) {
    const pod = podOf(object, picture)
    if (pod === undefined) continue
    const cause: Cause = { code: 'pod', text: 'not ready in time', ...pod }
    const { namespace } = context.waiting
    evidence.push(
      await collectEvidence({ object: nameOf(object), cause, namespace }, context.cluster),
    )
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
