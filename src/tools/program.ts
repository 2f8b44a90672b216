import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import { UserError } from '../errors.ts'
import { textAt } from '../json.ts'
import type { Program, ProgramResult } from '../world.ts'

/** Programs print reports of some megabytes; past this the rest is dropped so that memory stays bounded. */
const OUTPUT_LIMIT = 256 * 1024 * 1024
/** Time between the polite and the final end of a program. */
const KILL_AFTER_MS = 5_000
/** A tenth of the usual share where processors are short, all of them where they are not. */
const NICE = ['nice', '-n', '10'] as const

/** Runs `program` without a shell. See `RunProgram` for what it returns and throws. */
export async function runProgram(program: Program, signal: AbortSignal): Promise<ProgramResult> {
  signal.throwIfAborted()
  const [command, ...args] = program.isNice === true ? [...NICE, ...program.argv] : program.argv
  const deadline = AbortSignal.timeout(program.timeoutSeconds * 1000)
  const child = spawn(command, args, {
    cwd: program.cwd,
    env: program.env ?? process.env,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  // The whole group is ended: a wrapper script must not leave its program behind.
  const end = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name)
    } catch {
      // It ended by itself in the meantime.
    }
  }
  const stop = () => {
    end('SIGTERM')
    setTimeout(() => {
      end('SIGKILL')
    }, KILL_AFTER_MS).unref()
  }
  const stopping = AbortSignal.any([deadline, signal])
  stopping.addEventListener('abort', stop, { once: true })
  child.stdin.on('error', () => {
    // The program may end without reading its input; its status tells.
  })
  child.stdin.end(program.input ?? '')
  try {
    const [stdout, stderr, status] = await Promise.all([
      collect(child.stdout, undefined),
      collect(child.stderr, program.onLine),
      new Promise<number>((resolve, reject) => {
        child.once('error', reject)
        child.once('close', (code) => {
          resolve(code ?? 1)
        })
      }),
    ])
    signal.throwIfAborted()
    if (deadline.aborted) throw timedOut(program)
    return { status, stdout, stderr }
  } catch (error) {
    if (textAt(error, 'code') === 'ENOENT') {
      // A missing folder is reported by the system in the very words of a missing program.
      if (program.cwd !== undefined && !existsSync(program.cwd))
        throw new UserError(`The folder ${program.cwd} does not exist`, [], { cause: error })
      throw new UserError(`${command} was not found; install it or put it on PATH`, [], {
        cause: error,
      })
    }
    throw error
  } finally {
    stopping.removeEventListener('abort', stop)
  }
}

async function collect(
  stream: NodeJS.ReadableStream,
  onLine: ((line: string) => void) | undefined,
): Promise<string> {
  let text = ''
  for await (const line of createInterface({ input: stream })) {
    onLine?.(line)
    if (text.length < OUTPUT_LIMIT) text += `${line}\n`
  }
  return text
}

function timedOut(program: Program): UserError {
  return new UserError(
    `${basename(program.argv[0])} did not end within ${program.timeoutSeconds} s and was stopped`,
  )
}
