import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { performance } from 'node:perf_hooks'
import type { Command } from '../measure.ts'

/** How a program ended that may fail, and what it said when. */
export type Attempt = {
  readonly status: number
  readonly seconds: number
  readonly lines: readonly { readonly seconds: number; readonly text: string }[]
}

const LIMIT_MS = 420_000

/** Runs a program to its end, whatever that is. */
export async function attempt({ argv, env, cwd }: Command): Promise<Attempt> {
  const [program, ...args] = argv
  const started = performance.now()
  const since = () => (performance.now() - started) / 1000
  const child = spawn(program, args, {
    ...{ env, cwd, timeout: LIMIT_MS },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: { seconds: number; text: string }[] = []
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', (text) => lines.push({ seconds: since(), text }))
  const status = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      resolve(code ?? -1)
    })
  })
  return { status, seconds: since(), lines }
}

/** The second program only where the first one ended well, as `&&` does in a shell. */
export async function attemptBoth(first: Command, then: () => Promise<Attempt>): Promise<Attempt> {
  const one = await attempt(first)
  if (one.status !== 0) return one
  const other = await then()
  const later = other.lines.map(({ seconds, text }) => ({ seconds: seconds + one.seconds, text }))
  return {
    status: other.status,
    seconds: one.seconds + other.seconds,
    lines: [...one.lines, ...later],
  }
}

/** Several at the same time: over when the last one is, failed where one is. */
export async function attemptAll(commands: readonly Command[]): Promise<Attempt> {
  const ends = await Promise.all(commands.map(attempt))
  return {
    status: Math.max(...ends.map(({ status }) => Math.abs(status))),
    seconds: Math.max(...ends.map(({ seconds }) => seconds)),
    lines: ends.flatMap(({ lines }) => lines).toSorted((a, b) => a.seconds - b.seconds),
  }
}

export function sayingOf({ lines }: Attempt): string {
  return lines.map(({ text }) => text).join('\n')
}
