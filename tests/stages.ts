import { spawn } from 'node:child_process'
import { performance } from 'node:perf_hooks'

/** One part of `npm test`: a program, or several one after the other. */
export type StageSpec = {
  readonly name: string
  readonly commands: readonly (readonly [string, ...string[]])[]
  readonly env?: Readonly<Record<string, string>>
  /** The limit. */
  readonly minutes: number
  /** What it took when it was last measured, on two processors; only estimates are made of it. */
  readonly seconds: number
}

export type StageResult = {
  readonly name: string
  readonly passed: boolean
  readonly seconds: number
  /** Why it failed, in one line. */
  readonly why: string
}

/** A sign of life this often, for stages whose programs are silent while they work. */
const HEARTBEAT_MS = 30_000

/**
 * Runs a stage; its programs print for themselves. A program that takes too long is ended, and the stage has failed.
 * `secondsAfter` is what the stages behind it are expected to take.
 */
export async function runStage(stage: StageSpec, secondsAfter: number): Promise<StageResult> {
  const started = performance.now()
  const left = () => {
    const here = Math.max(stage.seconds - (performance.now() - started) / 1000, 0)
    return `about ${Math.ceil((here + secondsAfter) / 60)} min left in all`
  }
  tell(`▸ ${stage.name} (${left()})`)
  const heartbeat = setInterval(() => {
    tell(`… ${stage.name} (${left()})`)
  }, HEARTBEAT_MS)
  const end = (why: string): StageResult => {
    clearInterval(heartbeat)
    const seconds = (performance.now() - started) / 1000
    const passed = why === ''
    tell(`${passed ? '✓' : '✗'} ${stage.name} (${seconds.toFixed(0)} s)${passed ? '' : `: ${why}`}`)
    return { name: stage.name, passed, seconds, why }
  }
  for (const argv of stage.commands) {
    const why = await run(argv, stage)
    if (why !== '') return end(why)
  }
  return end('')
}

export function tell(line: string): void {
  process.stdout.write(`test: ${line}\n`)
}

async function run(
  [command, ...args]: readonly [string, ...string[]],
  stage: StageSpec,
): Promise<string> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...stage.env },
    timeout: stage.minutes * 60_000,
  })
  return await new Promise((resolve) => {
    child.on('error', (error) => {
      resolve(`${command} can't be started: ${error.message}`)
    })
    child.on('close', (status, signal) => {
      const how =
        signal === null ? `status ${status ?? '?'}` : `${signal} after ${stage.minutes} min`
      resolve(status === 0 ? '' : `${[command, ...args].join(' ')} ended with ${how}`)
    })
  })
}
