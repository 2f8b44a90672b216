import type { Canary } from '../../environments/strategy.ts'
import { UserError } from '../../errors.ts'
import type { KubeObject } from '../../render/manifest.ts'
import { RolloutFailed } from '../failure.ts'
import { waitUntilReady } from '../readiness/wait.ts'
import { holdAutoscalers } from './autoscalers.ts'
import { scale } from './deployments.ts'
import { type Ground, type Stage, writtenOf } from './ground.ts'
import type { Move } from './moves.ts'
import { routesOf, weightRoutes } from './routes.ts'
import { collectSamples } from './samples.ts'
import { narrow, provePreviews, sideOf, widen } from './switch.ts'
import { judge, summaryOf, type Verdict } from './verdict.ts'
import { bestFit, type Counts, type Fit, slackOf, walk } from './weights.ts'

/** The analysis of a canary can't tell. Everything is left as it is, and people are asked. */
export class CanaryUndecided extends UserError {
  constructor(message: string, details: readonly string[]) {
    super(message, details)
    this.name = 'CanaryUndecided'
  }
}

/** One workload on its way: how it shares out requests, and how many pods it has now. */
type Lane = {
  readonly move: Move
  /** Routes that can be weighted; where there are none, the numbers of pods decide. */
  readonly routes: readonly KubeObject[]
  counts: Counts
  isWide: boolean
  /** Percent of the requests that the new pods get. */
  share: number
}

/** What every step would be, for each workload. Throws `UserError` where a share can't be had within the tolerance. */
export function planCanary(moves: readonly Move[], canary: Canary): readonly string[] {
  const plans = moves.map((move) => ({
    move,
    fits: canary.steps.map((step) => ({ step, ...fitOf(move, step) })),
  }))
  const problems = plans.flatMap(({ move, fits }) =>
    fits
      .filter(({ error }) => error > canary.tolerance)
      .map(
        (fit) =>
          `${move.workload}: ${fit.step} % of ${move.replicas} pods is at best ${describe(fit)}, ${fit.error.toFixed(0)} points away`,
      ),
  )
  if (problems.length > 0)
    throw new UserError(
      `The steps of the canary can't be had with so few pods (${problems[0] ?? ''}); use other steps, more replicas, or allow it with a higher tolerance in environments.yaml`,
      problems,
    )
  return plans.map(
    ({ move, fits }) =>
      `${move.workload}: ${fits.map((fit) => `${fit.step} % → ${describe(fit)}`).join(', ')}`,
  )
}

/** The number of new pods of the first step: so many are made, and no more, until they are proved. */
export function firstCount(move: Move, canary: Canary): number {
  const { surge } = slackOf(move.to, move.replicas)
  return Math.min(fitOf(move, canary.steps[0] ?? 1).canary, surge)
}

/** Gives the new pods more and more of the requests, with a verdict after each step; then all of them. */
export async function runCanary(
  moves: readonly Move[],
  canary: Canary,
  on: { readonly ground: Ground; readonly stage: Stage },
): Promise<void> {
  const { ground } = on
  const lanes = await Promise.all(
    moves.map(async (move): Promise<Lane> => {
      const counts = { canary: firstCount(move, canary), stable: move.from.replicas }
      return { move, routes: await routesOf(move, ground), counts, isWide: false, share: 0 }
    }),
  )
  for (const step of canary.steps) {
    await ground.world.progress.step(`Canary: ${step} % of the requests`, async () => {
      for (const lane of lanes) await bringTo(lane, step, on)
      await decide(lanes, { canary, step }, on)
    })
  }
  await ground.world.progress.step('Canary: all of the requests', async () => {
    for (const lane of lanes) await promote(lane, on)
  })
}

type On = { readonly ground: Ground; readonly stage: Stage }

/** The share of one step, by the weights of routes or by numbers of pods. */
async function bringTo(lane: Lane, step: number, on: On): Promise<void> {
  const { move, routes } = lane
  const { world } = on.ground
  if (routes.length > 0) {
    const count = Math.max(1, Math.ceil((move.replicas * step) / 100))
    await changeCounts(lane, { canary: count, stable: lane.counts.stable }, on)
    await provePreviews([sideOf(move, count, on.stage)], on.ground, on.stage)
    await weightRoutes(routes, { move, weight: step }, on.ground)
    lane.share = step
    world.progress.say(`${move.workload}: ${step} % by the weights of its routes`)
    return
  }
  const fit = fitOf(move, step)
  if (!lane.isWide) {
    const side = sideOf(move, lane.counts.canary, on.stage)
    await provePreviews([side], on.ground, on.stage)
    await widen([side], on.ground, on.stage)
    lane.isWide = true
  }
  await changeCounts(lane, fit, on)
  lane.share = fit.weight
  for (const { object } of move.services)
    on.ground.timeline.shift({
      service: object.metadata.name,
      what: `${move.to.metadata.name}: ${describe(fit)}`,
      side: 'both',
    })
  world.progress.say(`${move.workload}: ${describe(fit)}, ${step} % were asked for`)
}

/** Watches both sides of all workloads for a while. Throws where one is worse, and where that can't be known. */
async function decide(
  lanes: readonly Lane[],
  what: { readonly canary: Canary; readonly step: number },
  { ground, stage }: On,
): Promise<void> {
  const { analysis, pauseSeconds: seconds } = what.canary
  const rows = new Map<Lane, string>()
  const verdicts = await Promise.all(
    lanes.map(async (lane): Promise<Verdict & { readonly workload: string }> => {
      const { move, counts } = lane
      const onLook = (left: number) => {
        rows.set(lane, rowOf(lane, left))
        ground.world.progress.show([...rows.values()])
      }
      const side = sideOf(move, counts.canary, stage)
      const labels = { canary: side.newest, baseline: move.from.labels }
      const found = await collectSamples(
        { deployment: move.to, ...labels, analysis, seconds, onLook },
        ground,
        stage,
      )
      const { workload } = move
      const verdict = withDoubt(judge(found.canary, found.baseline, analysis), found.doubt)
      ground.timeline.compare({
        ...{ workload, step: what.step, share: lane.share, ...verdict },
        ...{ canary: summaryOf(found.canary), baseline: summaryOf(found.baseline) },
      })
      return { ...verdict, workload }
    }),
  )
  const words = verdicts.map(
    ({ workload, verdict, reasons }) => `${workload}: ${verdict}: ${reasons.join('; ')}`,
  )
  for (const line of words) ground.world.progress.say(line)
  const of = (kind: Verdict['verdict']) => words[verdicts.findIndex((one) => one.verdict === kind)]
  const [failed, open] = [of('fail'), of('inconclusive')]
  if (failed !== undefined) throw worse(what.step, failed)
  if (open !== undefined)
    throw new CanaryUndecided(
      `The canary at ${what.step} % can't be judged: ${open}. It is left at this step: deploy the release again to look again, with strategy blue-green to go on without a verdict, or the last good release to go back`,
      words,
    )
}

function withDoubt(verdict: Verdict, doubt: string): Verdict {
  if (doubt === '' || verdict.verdict === 'fail') return verdict
  return { verdict: 'inconclusive', reasons: [doubt, ...verdict.reasons] }
}

function worse(step: number, text: string): RolloutFailed {
  const remedy = 'compare the two versions; the requests go back to the old pods'
  const cause = { code: 'canary-worse', text, remedy } as const
  return new RolloutFailed(
    `The canary at ${step} % is worse than what ran before: ${text}`,
    cause,
    [],
  )
}

/** The new set at full size, then all requests to it. As many old pods as the surge allows stay for the bake time. */
async function promote(lane: Lane, on: On): Promise<void> {
  const { move, routes } = lane
  const { surge } = slackOf(move.to, move.replicas)
  const stable = routes.length > 0 ? lane.counts.stable : Math.min(lane.counts.stable, surge)
  await changeCounts(lane, { canary: move.replicas, stable }, on)
  const side = sideOf(move, move.replicas, on.stage)
  await provePreviews([side], on.ground, on.stage)
  if (routes.length > 0) await weightRoutes(routes, { move, weight: 100 }, on.ground)
  if (!lane.isWide) await widen([side], on.ground, on.stage)
  await narrow([side], on.ground, on.stage)
  if (routes.length > 0) await weightRoutes(routes, { move, weight: 0, side: 'new' }, on.ground)
}

/** Scales both sides, never with more pods than the surge allows; each step is ready before the next. */
async function changeCounts(lane: Lane, to: Counts, { ground, stage }: On): Promise<void> {
  const { move, routes } = lane
  const { namespace, from, replicas } = move
  const slack = slackOf(move.to, replicas)
  // With routes the old set keeps all of its pods, so the new ones are always more.
  const limits = routes.length > 0 ? { ...slack, surge: replicas } : slack
  for (const next of walk(lane.counts, to, { replicas, ...limits })) {
    if (next.stable !== lane.counts.stable) {
      const count = Math.max(1, next.stable)
      const bounds = { cluster: ground.cluster, min: count, max: count }
      await holdAutoscalers(move, ground.objects, bounds)
      await scale({ namespace, name: from.deployment, replicas: next.stable }, ground.cluster)
    }
    if (next.canary !== lane.counts.canary) await scaleAndWait(move, next.canary, { ground, stage })
    lane.counts = next
  }
}

async function scaleAndWait(move: Move, replicas: number, { ground, stage }: On): Promise<void> {
  const { cluster, world } = ground
  const { namespace, to } = move
  const { name } = to.metadata
  const live = await scale({ namespace, name, replicas }, cluster)
  const written = writtenOf(to, live)
  const { watch, deadline } = stage
  await waitUntilReady({ objects: [to], namespace, deadline, written }, watch, { cluster, world })
}

/** `… web ███░░░░░░░ 33 % of the requests at web-3c4d5e6f, looked at for 20 s more at most` */
function rowOf({ move, share }: Lane, left: number): string {
  const full = Math.round(share / 10)
  const bar = '█'.repeat(full) + '░'.repeat(10 - full)
  // A log prints a row when it changes: tens of seconds are news enough.
  const time = `${Math.max(1, Math.ceil(left / 10)) * 10} s`
  return `… ${move.workload} ${bar} ${share.toFixed(0)} % of the requests at ${move.to.metadata.name}, looked at for ${time} more at most`
}

function fitOf(move: Move, step: number): Fit {
  return bestFit(move.replicas, step, slackOf(move.to, move.replicas))
}

function describe({ canary, stable, weight }: Fit): string {
  return `${canary} of ${canary + stable} pods = ${weight.toFixed(1)} %`
}
