import { estimateSecondsLeft } from './schedule.ts'
import type { StepStatus } from './schedule.ts'

/** What the lab tells while it works. */
export interface Reporter {
  say(line: string): void
  change(status: StepStatus, all: readonly StepStatus[]): void
  close(): void
}

const HEARTBEAT_SECONDS = 25
const REDRAW_SECONDS = 1

export interface Terminal {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** One live line on a terminal; elsewhere a line per change and a sign of life in between. */
export function createReporter(out: Terminal, processors: number): Reporter {
  let latest: readonly StepStatus[] = []
  const live = out.isTTY === true
  const draw = (): void => {
    const line = summarize(latest, processors)
    if (line === undefined) return
    out.write(live ? `\r\u001b[K${line.slice(0, (out.columns ?? 80) - 1)}` : `lab: ${line}\n`)
  }
  const say = (line: string): void => {
    out.write(`${live ? '\r\u001b[K' : ''}lab: ${line}\n`)
    if (live) draw()
  }
  const timer = setInterval(draw, (live ? REDRAW_SECONDS : HEARTBEAT_SECONDS) * 1000)
  timer.unref()
  return {
    say,
    change: (status, all) => {
      latest = all
      const line = describeChange(status, live)
      if (line !== undefined) say(line)
    },
    close: () => {
      clearInterval(timer)
      if (live) out.write('\r\u001b[K')
    },
  }
}

function describeChange({ step, state, seconds }: StepStatus, live: boolean): string | undefined {
  if (state === 'failed') return `failed: ${step.title}`
  if (step.done) return undefined
  if (state === 'running')
    return live || step.seconds < 2 ? undefined : `${step.title} (about ${inWords(step.seconds)})`
  return (seconds ?? 0) < 1 ? undefined : `done in ${inWords(seconds ?? 0)}: ${step.title}`
}

/** "step 4 of 12: compiling Kubernetes, making the Python image; about 6 min left", or undefined when nothing runs. */
export function summarize(all: readonly StepStatus[], processors: number): string | undefined {
  const wanted = all.filter(({ state, step }) => state !== 'idle' && !step.done)
  const running = wanted.filter(({ state }) => state === 'running')
  if (running.length === 0) return undefined
  const done = wanted.filter(({ state }) => state === 'done').length
  const left = estimateSecondsLeft(all, { processors, now: Date.now() })
  return `step ${done + 1} of ${wanted.length}: ${running.map(({ step }) => step.title).join(', ')}; about ${inWords(left)} left`
}

export function inWords(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`
  return `${Math.round(seconds / 60)} min`
}

/** Where the time went: one line for each step that took a second or more, in the order they started. */
export function timeTable(all: readonly StepStatus[]): string[] {
  return all
    .filter(({ seconds }) => (seconds ?? 0) >= 1)
    .toSorted((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0))
    .map(({ step, seconds }) => `${(seconds ?? 0).toFixed(0).padStart(6)} s  ${step.title}`)
}
