import type { Analysis } from '../../environments/strategy.ts'
import type { SideSample } from '../timeline.ts'

/** What was seen of the pods of one side in the same time. */
export type Sample = {
  readonly answers: number
  readonly errors: number
  /** Milliseconds of the good answers. */
  readonly latencies: readonly number[]
  readonly restarts: number
  /** What Prometheus says, where it is asked; undefined where it has no data. */
  readonly metrics: { readonly errors: number | undefined; readonly latency: number | undefined }
}

export type Verdict = {
  readonly verdict: 'pass' | 'fail' | 'inconclusive'
  /** Why, or what was compared. */
  readonly reasons: readonly string[]
}

/** Differences below this are noise of the way there, however large their ratio is. */
const NOISE_MS = 20
/** One-sided, 5 %: a difference that chance makes more often proves nothing. */
const SIGNIFICANT_Z = 1.645
/** With so many errors on both sides it is not the new pods that are at fault. */
const BROKEN_SHARE = 0.5

/** Compares the new pods with those of before. A failure needs proof; a pass needs enough answers; all else is inconclusive. */
export function judge(canary: Sample, baseline: Sample, analysis: Analysis): Verdict {
  const faults = [
    ...restartFaults(canary, baseline),
    ...errorFaults(canary, baseline, analysis),
    ...latencyFaults(canary, baseline, analysis),
    ...metricFaults(canary, baseline, analysis),
  ]
  const proved = faults.filter(({ isProved }) => isProved)
  if (proved.length > 0) return { verdict: 'fail', reasons: proved.map(({ text }) => text) }
  const doubts = [...doubtsOf(canary, baseline, analysis), ...faults.map(({ text }) => text)]
  if (doubts.length > 0) return { verdict: 'inconclusive', reasons: doubts }
  return { verdict: 'pass', reasons: [describe(canary, baseline)] }
}

/** `errors 0.0 % of 60 against 0.0 % of 60, p95 12 ms against 11 ms, restarts 0 against 0` */
export function describe(canary: Sample, baseline: Sample): string {
  const errors = (side: Sample) => `${percent(shareOf(side))} of ${side.answers}`
  const slow = (side: Sample) => `${percentile95(side.latencies).toFixed(0)} ms`
  return [
    `errors ${errors(canary)} against ${errors(baseline)}`,
    `p95 ${slow(canary)} against ${slow(baseline)}`,
    `restarts ${canary.restarts} against ${baseline.restarts}`,
  ].join(', ')
}

/** The same for a report. */
export function summaryOf({ answers, errors, latencies, restarts }: Sample): SideSample {
  return { answers, errors, p95: percentile95(latencies), restarts }
}

type Fault = { readonly text: string; readonly isProved: boolean }

function restartFaults(canary: Sample, baseline: Sample): readonly Fault[] {
  if (canary.restarts === 0) return []
  const isProved = canary.restarts > baseline.restarts
  const text = `the new pods restarted ${canary.restarts} times, the old ones ${baseline.restarts}`
  return [{ text, isProved }]
}

function errorFaults(canary: Sample, baseline: Sample, analysis: Analysis): readonly Fault[] {
  const [mine, theirs] = [shareOf(canary), shareOf(baseline)]
  if (100 * (mine - theirs) <= analysis.maxErrorIncrease) return []
  const enough = Math.min(canary.answers, baseline.answers) >= analysis.samples
  const isProved = enough && zOf(canary, baseline) > SIGNIFICANT_Z
  const text = `errors rose from ${percent(theirs)} to ${percent(mine)}, ${analysis.maxErrorIncrease} points are allowed${isProved ? '' : ' (too few answers to be sure)'}`
  return [{ text, isProved }]
}

function latencyFaults(canary: Sample, baseline: Sample, analysis: Analysis): readonly Fault[] {
  const enough = Math.min(canary.latencies.length, baseline.latencies.length) >= analysis.samples
  const [mine, theirs] = [percentile95(canary.latencies), percentile95(baseline.latencies)]
  if (!enough || mine - theirs <= NOISE_MS || mine <= theirs * analysis.maxLatencyRatio) return []
  const text = `p95 rose from ${theirs.toFixed(0)} to ${mine.toFixed(0)} ms, ${analysis.maxLatencyRatio} times is allowed`
  return [{ text, isProved: true }]
}

function metricFaults(canary: Sample, baseline: Sample, analysis: Analysis): readonly Fault[] {
  const [mine, theirs] = [canary.metrics, baseline.metrics]
  const faults: Fault[] = []
  const { errors = 0 } = theirs
  if (mine.errors !== undefined && 100 * (mine.errors - errors) > analysis.maxErrorIncrease)
    faults.push({
      text: `Prometheus: errors rose from ${percent(errors)} to ${percent(mine.errors)}`,
      isProved: theirs.errors !== undefined,
    })
  if (mine.latency === undefined || theirs.latency === undefined) return faults
  const rise = (mine.latency - theirs.latency) * 1000
  if (rise > NOISE_MS && mine.latency > theirs.latency * analysis.maxLatencyRatio)
    faults.push({
      text: `Prometheus: p95 rose from ${theirs.latency} to ${mine.latency} s`,
      isProved: true,
    })
  return faults
}

function doubtsOf(canary: Sample, baseline: Sample, analysis: Analysis): readonly string[] {
  const { samples, prometheus } = analysis
  const sides = [
    { name: 'the new pods', side: canary },
    { name: 'the old pods', side: baseline },
  ]
  return [
    ...sides
      .filter(({ side }) => side.answers < samples)
      .map(({ name, side }) => `only ${side.answers} of ${samples} answers of ${name}`),
    ...(sides.every(({ side }) => side.answers > 0 && shareOf(side) > BROKEN_SHARE)
      ? ['most answers of both sides are errors, so nothing is proved about the new pods']
      : []),
    ...(prometheus === undefined
      ? []
      : sides
          .filter(({ side }) => side.metrics.errors === undefined)
          .map(({ name }) => `Prometheus has no errors to show for ${name}`)),
  ]
}

function shareOf({ errors, answers }: Sample): number {
  return answers === 0 ? 0 : errors / answers
}

/** How many standard errors lie between two shares. */
function zOf(one: Sample, other: Sample): number {
  const pooled = (one.errors + other.errors) / (one.answers + other.answers)
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / one.answers + 1 / other.answers))
  const rise = shareOf(one) - shareOf(other)
  // All of one side and none of the other: no deviation is left to measure it by.
  return deviation === 0 ? (rise > 0 ? Infinity : 0) : rise / deviation
}

export function percentile95(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1] ?? 0
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
