import { spawn } from 'node:child_process'
import { performance } from 'node:perf_hooks'

/** One part of `npm test`: a program, or several one after the other. */
export type StageSpec = {
  readonly name: string
  readonly commands: readonly (readonly [string, ...string[]])[]
  readonly env?: Readonly<Record<string, string>>
  readonly minutes: number
}

export type StageResult = {
  readonly name: string
  readonly passed: boolean
  readonly seconds: number
  /** Why it failed, in one line. */
  readonly why: string
}

/** Runs a stage; its programs print for themselves. A program that takes too long is ended, and the stage has failed. */
export async function runStage(stage: StageSpec): Promise<StageResult> {
  const started = performance.now()
  const end = (why: string): StageResult => {
    const seconds = (performance.now() - started) / 1000
    const passed = why === ''
    tell(`${passed ? '✓' : '✗'} ${stage.name} (${seconds.toFixed(0)} s)${passed ? '' : `: ${why}`}`)
    return { name: stage.name, passed, seconds, why }
  }
  tell(`▸ ${stage.name}`)
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
