import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { performance } from 'node:perf_hooks'
import { listAt, numberAt, parseJson, textAt } from '../src/json.ts'

/** A program that is measured. */
export type Command = {
  readonly argv: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** What the first useful line of its output looks like. */
  readonly useful?: RegExp
  /** A file that it writes and that says where its time went, as `steps`. */
  readonly report?: string
}

/** One part of a run, in seconds. */
export type Step = { readonly title: string; readonly seconds: number }

/** What one run took. */
export type Sample = {
  readonly seconds: number
  /** The most memory that its own process had (bytes), without that of the programs it starts. */
  readonly peakBytes: number
  readonly firstLineSeconds: number | undefined
  readonly output: string
  readonly steps: readonly Step[]
}

/** The two that are compared: ours, and what it is measured against. */
export type Side = 'ours' | 'peer'

export type Pair = Readonly<Record<Side, Sample>>

export type Spread = { readonly median: number; readonly least: number; readonly most: number }

/** Nothing that is measured takes longer; what does is ended and fails the measurement. */
const LIMIT_MS = 600_000
/** The system keeps the peak itself; only what comes in the very last moment can be missed. */
const LOOK_MS = 20
const SHOWN_LINES = 20

/** Runs programs one after the other, as one measurement. Throws where one of them fails. */
export async function measure(commands: readonly Command[]): Promise<Sample> {
  const samples: Sample[] = []
  for (const command of commands) samples.push(await measureOne(command))
  return {
    seconds: samples.reduce((sum, { seconds }) => sum + seconds, 0),
    peakBytes: Math.max(...samples.map(({ peakBytes }) => peakBytes)),
    firstLineSeconds: samples[0]?.firstLineSeconds,
    output: samples.map(({ output }) => output).join(''),
    steps: samples.flatMap(({ steps }) => steps),
  }
}

async function measureOne({ argv, env, cwd, useful, report }: Command): Promise<Sample> {
  const [program, ...args] = argv
  const started = performance.now()
  const since = () => (performance.now() - started) / 1000
  const child = spawn(program, args, {
    env,
    cwd,
    timeout: LIMIT_MS,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [output, peakBytes] = ['', 0]
  let firstLineSeconds: number | undefined
  const hear = (text: string) => {
    output += text
    if (firstLineSeconds === undefined && useful?.test(output) === true) firstLineSeconds = since()
  }
  child.stdout.setEncoding('utf8').on('data', hear)
  child.stderr.setEncoding('utf8').on('data', hear)
  const looking = setInterval(() => {
    void readPeak(child.pid).then((peak) => (peakBytes = Math.max(peakBytes, peak)))
  }, LOOK_MS)
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const seconds = since()
  clearInterval(looking)
  if (status === 0)
    return { seconds, peakBytes, firstLineSeconds, output, steps: await readSteps(report) }
  const last = output.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n')
  throw new Error(`${argv.join(' ')} ended with status ${status ?? 'none'}:\n${last}`)
}

async function readSteps(report: string | undefined): Promise<readonly Step[]> {
  if (report === undefined) return []
  const steps = listAt(parseJson(await readFile(report, 'utf8'), report), 'steps')
  return steps.map((step) => ({
    title: textAt(step, 'title') ?? '',
    seconds: numberAt(step, 'seconds') ?? 0,
  }))
}

async function readPeak(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid ?? 0}/status`, 'utf8').catch(() => '') // It has ended.
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
}

/**
 * Measures both sides in turn, as often as `rounds` says. Who begins changes from round to round, so that neither always finds the
 * machine warmer than the other.
 */
export async function measurePairs(
  rounds: number,
  run: (side: Side, round: number) => Promise<Sample>,
  onPair: (pair: Pair) => void,
): Promise<readonly Pair[]> {
  const pairs: Pair[] = []
  for (let round = 0; round < rounds; round += 1) {
    const order: readonly Side[] = round % 2 === 0 ? ['peer', 'ours'] : ['ours', 'peer']
    const found: Partial<Record<Side, Sample>> = {}
    for (const side of order) found[side] = await run(side, round)
    const { ours, peer } = found
    if (ours === undefined || peer === undefined) throw new Error('a side was not measured')
    pairs.push({ ours, peer })
    onPair({ ours, peer })
  }
  return pairs
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (index: number) => sorted[index] ?? Number.NaN
  const middle = (sorted.length - 1) / 2
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    least: at(0),
    most: at(sorted.length - 1),
  }
}

/** The load of the last minute: how quiet the machine was. */
export function loadNow(): number {
  return loadavg()[0] ?? Number.NaN
}
