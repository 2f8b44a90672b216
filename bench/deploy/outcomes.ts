import { spreadOf, type Spread } from '../measure.ts'
import { PEER_LIMIT_S, type Verdict } from './failures.ts'
import type { Size } from './growth.ts'
import type { SideName } from './sides.ts'
import type { Calls, Round } from './speed.ts'

/** Each is measured in one go, all sides by turns, and may be measured without the others. */
export const PARTS = ['speed', 'failures', 'growth'] as const
export type Part = (typeof PARTS)[number]

/** Everything that is measured. */
export type Measured = {
  readonly rounds: readonly Round[]
  readonly calls: readonly Calls[]
  readonly objects: number
  readonly verdicts: readonly Verdict[]
  readonly sizes: readonly Size[]
  /** When each part was measured, as ISO 8601. */
  readonly dates: Readonly<Partial<Record<Part, string>>>
  /** Load of the machine when each part began, which counts what others do. */
  readonly loads: Readonly<Partial<Record<Part, number>>>
}

/** One comparison with the faster of both peers, which is the one with the lower median, round by round. */
export type Comparison = {
  readonly name: string
  readonly sides: Readonly<Record<SideName, Spread>>
  readonly faster: Exclude<SideName, 'ours'>
  readonly ratios: readonly number[]
  /** Their median. */
  readonly ratio: number
  readonly target: number | undefined
  readonly kept: boolean
}

/** One number that has a limit. */
export type Limit = {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly limit: number
  readonly kept: boolean
}

const MEGA = 1_000_000
const PEERS = ['kubectl', 'helm'] as const

export function comparisonsOf({ rounds }: Measured): readonly Comparison[] {
  if (rounds.length === 0) return []
  return [
    compare('five services, start to truly ready', rounds, {
      of: (round, side) => round[side].readySeconds,
      target: 1,
    }),
    // No promise: who looks longer before they say so says it later.
    compare('five services, start to the word that it is so', rounds, {
      of: (round, side) => round[side].endSeconds,
    }),
    compare('the next release, start to truly ready', rounds, {
      of: (round, side) => round[side].nextSeconds,
      target: 1,
    }),
    compare('the same release again', rounds, {
      of: (round, side) => round[side].againSeconds,
      target: 0.5,
    }),
  ]
}

function compare(
  name: string,
  rounds: readonly Round[],
  {
    of,
    target,
  }: { readonly of: (round: Round, side: SideName) => number; readonly target?: number },
): Comparison {
  const spread = (side: SideName) => spreadOf(rounds.map((round) => of(round, side)))
  const sides = { ours: spread('ours'), kubectl: spread('kubectl'), helm: spread('helm') }
  // One peer for all rounds: the better of two in each would be faster than either of them is.
  const faster = sides.kubectl.median <= sides.helm.median ? 'kubectl' : 'helm'
  const ratios = rounds.map((round) => of(round, 'ours') / of(round, faster))
  const ratio = spreadOf(ratios).median
  const kept = target === undefined || ratio <= target
  return { name, sides, faster, ratios, ratio, target, kept }
}

export function limitsOf(measured: Measured): readonly Limit[] {
  return [...callLimits(measured), ...verdictLimits(measured), ...sizeLimits(measured)]
}

function limit(name: string, value: number, [most, unit]: readonly [number, string]): Limit {
  return { name, value, unit, limit: most, kept: value <= most }
}

function callLimits({ calls, objects }: Measured): readonly Limit[] {
  const ours = calls.find(({ side }) => side === 'ours')
  if (ours === undefined) return []
  return [limit('requests for an unchanged object', ours.requests / objects, [2, 'requests'])]
}

function verdictLimits({ verdicts }: Measured): readonly Limit[] {
  if (verdicts.length === 0) return []
  const ours = verdicts.filter(({ side }) => side === 'ours')
  const median = medianOf(verdicts, 'ours')
  const wrong = ours.filter(({ isRight, isNamed }) => !isRight || !isNamed).length
  const peers = PEERS.map((peer) => medianOf(verdicts, peer))
  return [
    limit('seeded failures, start to a right verdict, median', median, [10, 's']),
    limit('the same by that of the faster peer', median / Math.min(...peers), [0.1, '×']),
    limit('failures without the right verdict and cause', wrong, [0, 'failures']),
  ]
}

/** A wrong word is no verdict: whoever believes it waits longer than any limit. It counts as the limit, which is too little. */
function medianOf(verdicts: readonly Verdict[], side: SideName): number {
  const own = verdicts.filter((verdict) => verdict.side === side)
  return spreadOf(own.map(({ isRight, seconds }) => (isRight ? seconds : PEER_LIMIT_S))).median
}

/** Linear: the last step costs, object by object, about what the step before did. */
function sizeLimits({ sizes }: Measured): readonly Limit[] {
  const [least, middle, most] = sizes
  if (least === undefined || middle === undefined || most === undefined) return []
  const slope = (of: (size: Size) => number) =>
    (of(most) - of(middle)) / (most.objects - middle.objects)
  const before = (of: (size: Size) => number) =>
    (of(middle) - of(least)) / (middle.objects - least.objects)
  const growth = (of: (size: Size) => number) => slope(of) / before(of)
  const peak = Math.max(...sizes.map(({ peakBytes }) => peakBytes)) / MEGA
  return [
    limit(
      'seconds for one more object, later by earlier',
      growth(({ seconds }) => seconds),
      [1.3, '×'],
    ),
    limit(
      'requests for one more object, later by earlier',
      growth(({ calls }) => calls),
      [1.1, '×'],
    ),
    limit('requests for an unchanged object of 1,000', most.againCalls / most.objects, [
      2,
      'requests',
    ]),
    limit('memory with 1,000 objects', peak, [300, 'MB']),
  ]
}
