import { spawn } from 'node:child_process'
import { createWriteStream, mkdirSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { basename, join } from 'node:path'
import { LabError } from './failure.ts'
import { places } from './places.ts'

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Written to the program's standard input: the way for anything that must not be seen in a process list. */
  readonly input?: string
  readonly timeoutSeconds?: number
  /** Name of a file in the log folder that receives everything the program says. */
  readonly log?: string
  /** For long compilations: leave the machine usable for others. */
  readonly polite?: boolean
}

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export class CommandError extends LabError {
  readonly outcome: Outcome
  constructor(message: string, outcome: Outcome) {
    super(message)
    this.outcome = outcome
  }
}

const DEFAULT_TIMEOUT_SECONDS = 60
const KEPT_CHARACTERS = 4_000_000
const SHOWN_LINES = 12

/** Runs a program and returns what it printed; throws a {@link CommandError} when it fails or takes too long. */
export async function run(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const outcome = await attempt(argv, options)
  if (outcome.code === 0) return outcome.stdout
  const said = (outcome.stderr.trim() || outcome.stdout.trim()).split('\n').slice(-SHOWN_LINES)
  const log = options.log === undefined ? '' : `\n(all of it: ${join(places.logs, options.log)})`
  throw new CommandError(
    `${shorten(argv)} failed with status ${outcome.code}:\n${said.join('\n')}${log}`,
    outcome,
  )
}

/** What a reader needs to recognise a command: the program and its words, without folders and options. */
export function shorten(argv: readonly string[]): string {
  const [program = '', ...rest] = argv
  const words = rest.filter(
    (word, at) => !/^[-/]/.test(word) && !/^--[a-z-]+$/.test(rest[at - 1] ?? ''),
  )
  return [basename(program), ...words.slice(0, 5)].join(' ')
}

/** True when the program ends with status 0. */
export async function succeeds(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<boolean> {
  return (await attempt(argv, options)).code === 0
}

/** Runs a program; a program that is not there has status 127, one that takes too long 124. */
export function attempt(argv: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
  const [program, ...args] = argv
  if (program === undefined) throw new TypeError('an empty command')
  const seconds = options.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS
  const log = options.log === undefined ? undefined : openLog(options.log, argv)
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
    })
    if (options.polite && child.pid !== undefined) {
      setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL)
    }
    const heard = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        heard[stream] = (heard[stream] + text).slice(-KEPT_CHARACTERS)
        log?.write(text)
      })
    }
    let late = false
    const limit = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, seconds * 1000)
    const end = (code: number, more = ''): void => {
      clearTimeout(limit)
      log?.end()
      resolve({ code, stdout: heard.stdout, stderr: heard.stderr + more })
    }
    child.on('error', (error) => {
      end(127, error.message)
    })
    child.on('close', (code) => {
      if (late) end(124, `\n${basename(program)} was ended after ${seconds} seconds`)
      else end(code ?? 1)
    })
    child.stdin.on('error', () => undefined) // a program may end before it has read its input
    child.stdin.end(options.input ?? '')
  })
}

function openLog(name: string, argv: readonly string[]): ReturnType<typeof createWriteStream> {
  mkdirSync(places.logs, { recursive: true })
  const log = createWriteStream(join(places.logs, name), { flags: 'a' })
  log.write(`\n# ${new Date().toISOString()} ${argv.join(' ')}\n`)
  return log
}
