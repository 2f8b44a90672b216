import { listAt, numberAt, textAt } from '../../json.ts'
import type { Cause } from '../causes/codes.ts'
import { explainFailure } from '../evidence/explanation.ts'
import type { RolloutFailed } from '../failure.ts'
import { newestLabels } from './deployments.ts'
import { podsOf, readyPods } from './endpoints.ts'
import { type Ground, oldName, type Stage } from './ground.ts'
import type { Move } from './moves.ts'
import { restartsOf } from './samples.ts'

/**
 * However short the bake time is: connections that were open before the shift still go to the old pods, and proxies and load
 * balancers outside need their time. As long as Argo Rollouts waits, for the same reason.
 */
export const LEAST_BAKE_MS = 30_000
/** New pods may be replaced, by an eviction for instance; for so long they may be fewer. */
const GAP_MS = 15_000
const LOOK_AGAIN_MS = 1_000

/**
 * The old pods stay, without requests, while the new ones show that they hold. Throws `RolloutFailed` as soon as they restart or
 * are too few for too long: then the way back is one patch.
 */
export async function bake(moves: readonly Move[], ground: Ground, stage: Stage): Promise<void> {
  const { world, strategy } = ground
  const picture = stage.watch.picture()
  const graces = moves.flatMap(({ from }) =>
    podsOf(from.labels, picture).map(
      (pod) => (numberAt(pod, 'spec', 'terminationGracePeriodSeconds') ?? 30) * 1000,
    ),
  )
  const asked = strategy.type === 'rolling' ? 0 : strategy.bakeSeconds * 1000
  const began = world.clock.now().getTime()
  const end = began + Math.max(LEAST_BAKE_MS, asked, ...graces)
  const restarts = new Map(moves.map((move) => [move, restartsNow(move, stage)]))
  const short = new Map<Move, number>()
  for (;;) {
    world.signal.throwIfAborted()
    const now = world.clock.now().getTime()
    for (const move of moves) {
      const more = restartsNow(move, stage) - (restarts.get(move) ?? 0)
      if (more > 0) throw await failure(move, RESTARTED, { ground, stage })
      const { ready, wanted } = countsOf(move, stage)
      if (ready >= wanted) short.delete(move)
      else if (!short.has(move)) short.set(move, now)
      const isLong = now - (short.get(move) ?? now) > GAP_MS
      // Half of them can't carry all requests, so nobody waits for them to come back.
      if (isLong || ready * 2 < wanted)
        throw await failure(move, tooFew(ready, wanted), { ground, stage })
    }
    const left = Math.ceil((end - now) / 1000)
    world.progress.show(moves.map((move) => rowOf(move, left, stage)))
    if (left <= 0) return
    await world.clock.sleep(LOOK_AGAIN_MS, world.signal)
  }
}

const RESTARTED: Cause = {
  code: 'crash-loop',
  text: 'its new pods restarted after they took the requests',
  remedy: 'its last words are below',
}

function tooFew(ready: number, wanted: number): Cause {
  return {
    code: 'not-ready',
    text: `only ${ready} of its ${wanted} new pods stayed ready`,
    remedy: 'see why its readiness probe fails under requests',
  }
}

function rowOf(move: Move, left: number, stage: Stage): string {
  const { ready, wanted } = countsOf(move, stage)
  // A log prints a row when it changes: tens of seconds are news enough.
  const time = left > 10 ? `${Math.ceil(left / 10) * 10} s` : '10 s'
  const state = `${ready} of ${wanted} pods ready, ${oldName(move)} is kept`
  return left <= 0
    ? `✓ ${move.to.metadata.name}: ${state}`
    : `… ${move.to.metadata.name}: ${state} for ${time} more at most`
}

function restartsNow(move: Move, { watch }: Stage): number {
  const picture = watch.picture()
  const newest = newestLabels(move.to.metadata.name, picture)
  return newest === undefined ? 0 : restartsOf(newest, picture)
}

function countsOf(
  move: Move,
  { watch }: Stage,
): { readonly ready: number; readonly wanted: number } {
  const picture = watch.picture()
  const { name } = move.to.metadata
  const newest = newestLabels(name, picture)
  const live = picture.Deployment.find((found) => textAt(found, 'metadata', 'name') === name)
  const ready = newest === undefined ? 0 : readyPods(newest, picture).length
  return { ready, wanted: numberAt(live, 'spec', 'replicas') ?? 1 }
}

async function failure(
  move: Move,
  cause: Cause,
  { ground, stage }: { readonly ground: Ground; readonly stage: Stage },
): Promise<RolloutFailed> {
  const { namespace, to } = move
  const picture = stage.watch.picture()
  const newest = newestLabels(to.metadata.name, picture)
  const pods = newest === undefined ? [] : podsOf(newest, picture)
  const worst = pods.toSorted((a, b) => restartsIn(b) - restartsIn(a))[0]
  const place =
    worst === undefined
      ? {}
      : {
          pod: textAt(worst, 'metadata', 'name') ?? '',
          container: textAt(worst, 'spec', 'containers', 0, 'name') ?? '',
        }
  const found = [{ object: to, cause: { ...cause, ...place }, detail: cause.text }]
  return await explainFailure(
    { found, picture, waiting: { namespace } },
    ground.cluster,
    ground.world,
  )
}

function restartsIn(pod: unknown): number {
  return listAt(pod, 'status', 'containerStatuses').reduce<number>(
    (sum, status) => sum + (numberAt(status, 'restartCount') ?? 0),
    0,
  )
}
