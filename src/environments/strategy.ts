import { UserError } from '../errors.ts'

/** How the pods of a workload are replaced. */
export type Strategy =
  | { readonly type: 'rolling' }
  | { readonly type: 'blue-green'; readonly bakeSeconds: number }
  | Canary

/** A part of the requests goes to the new pods first, in steps. */
export type Canary = {
  readonly type: 'canary'
  readonly bakeSeconds: number
  /** Percent of the requests, rising; 100 comes by itself at the end. */
  readonly steps: readonly number[]
  /** How long each step is looked at. */
  readonly pauseSeconds: number
  /** Points by which the achieved share may differ from a step. */
  readonly tolerance: number
  readonly analysis: Analysis
}

/** What is compared between the new pods and those of before, at the same time. */
export type Analysis = {
  /** Path that is asked on both, or empty: the one of the readiness probe. */
  readonly path: string
  /** Answers that each side needs for a verdict. */
  readonly samples: number
  /** Points by which the share of errors may be higher. */
  readonly maxErrorIncrease: number
  /** How many times slower the 95th percentile may be. */
  readonly maxLatencyRatio: number
  readonly prometheus: Prometheus | undefined
}

/** A Prometheus in the cluster. `{pods}` in a query becomes a regular expression of the names of the pods of one side. */
export type Prometheus = {
  readonly namespace: string
  readonly service: string
  readonly port: number
  /** Share of errors, 0 to 1. */
  readonly errors: string
  /** 95th percentile in seconds. */
  readonly latency?: string
}

/** As it stands in `environments.yaml`, checked by the schema. */
export type RawStrategy =
  | Strategy['type']
  | {
      readonly type: Strategy['type']
      readonly 'bake-time'?: string
      readonly steps?: readonly number[]
      readonly pause?: string
      readonly tolerance?: number
      readonly analysis?: {
        readonly path?: string
        readonly samples?: number
        readonly 'max-error-increase'?: number
        readonly 'max-latency-ratio'?: number
        readonly prometheus?: Prometheus
      }
    }

const DEFAULTS = {
  bakeTime: '60s',
  steps: [10, 50],
  pause: '60s',
  tolerance: 10,
  samples: 30,
  maxErrorIncrease: 1,
  maxLatencyRatio: 1.5,
} as const

const DURATION = /^(\d{1,5})(s|m|h)$/
const SECONDS = { s: 1, m: 60, h: 3600 } as const

/** The pattern of times in `environments.yaml`. */
export const DURATION_PATTERN = DURATION.source

/** Fills in what is not said. The schema has checked the form; what it can't is in `faultsOfStrategy`. */
export function readStrategy(raw: RawStrategy = 'rolling'): Strategy {
  const given = typeof raw === 'string' ? { type: raw } : raw
  const bakeSeconds = secondsOf(given['bake-time'] ?? DEFAULTS.bakeTime)
  switch (given.type) {
    case 'rolling':
      return { type: 'rolling' }
    case 'blue-green':
      return { type: 'blue-green', bakeSeconds }
    case 'canary':
      return {
        type: 'canary',
        bakeSeconds,
        steps: given.steps ?? DEFAULTS.steps,
        pauseSeconds: secondsOf(given.pause ?? DEFAULTS.pause),
        tolerance: given.tolerance ?? DEFAULTS.tolerance,
        analysis: {
          path: given.analysis?.path ?? '',
          samples: given.analysis?.samples ?? DEFAULTS.samples,
          maxErrorIncrease: given.analysis?.['max-error-increase'] ?? DEFAULTS.maxErrorIncrease,
          maxLatencyRatio: given.analysis?.['max-latency-ratio'] ?? DEFAULTS.maxLatencyRatio,
          prometheus: given.analysis?.prometheus,
        },
      }
    default:
      return given.type satisfies never
  }
}

/** Words that don't belong to the type, and steps that don't rise. */
export function faultsOfStrategy(raw: RawStrategy = 'rolling'): readonly string[] {
  if (typeof raw === 'string') return []
  const { type, steps = [], ...more } = raw
  const known: Readonly<Record<Strategy['type'], readonly string[] | undefined>> = {
    rolling: [],
    'blue-green': ['bake-time'],
    canary: undefined,
  }
  const own = known[type]
  const all = raw.steps === undefined ? more : { ...more, steps }
  const foreign = own === undefined ? [] : Object.keys(all).filter((key) => !own.includes(key))
  const falling = steps.some((step, index) => step <= (steps[index - 1] ?? 0))
  return [
    ...foreign.map((key) => `strategy ${type} has no "${key}"`),
    ...(falling ? [`the steps of a canary have to rise (${steps.join(', ')})`] : []),
  ]
}

/** What a run asks for instead of what the file says; empty texts and undefined ask for nothing. */
export function overrideStrategy(
  declared: Strategy,
  asked: { readonly type: string; readonly bakeTime: string },
): Strategy {
  const type = asked.type === '' ? declared.type : (asked.type as Strategy['type'])
  const chosen = type === declared.type ? declared : readStrategy(type)
  const carried =
    chosen !== declared && chosen.type !== 'rolling' && declared.type !== 'rolling'
      ? { ...chosen, bakeSeconds: declared.bakeSeconds }
      : chosen
  if (asked.bakeTime === '') return carried
  if (carried.type === 'rolling')
    throw new UserError(
      'bake-time is given, and the strategy is rolling, which has none; leave it out or choose blue-green or canary',
    )
  if (!DURATION.test(asked.bakeTime))
    throw new UserError(
      `bake-time is "${asked.bakeTime}"; it may be a number and s, m or h, such as 90s or 5m`,
    )
  return { ...carried, bakeSeconds: secondsOf(asked.bakeTime) }
}

/** Seconds in which a strategy waits on purpose: a deploy gets them on top of its timeout. */
export function pausesOf(strategy: Strategy): number {
  if (strategy.type !== 'canary') return 0
  return strategy.steps.length * strategy.pauseSeconds
}

function secondsOf(text: string): number {
  const [, count, unit] = DURATION.exec(text) ?? []
  return Number(count) * SECONDS[unit as keyof typeof SECONDS]
}
