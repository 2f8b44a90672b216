import { readFileSync } from 'node:fs'
import { waitFor } from './wait.ts'

/** What the kernel says about a process: its command line, and when it started, which no later process of that number shares. */
export interface Process {
  readonly pid: number
  readonly commandLine: readonly string[]
  readonly startedAt: string
}

export function readProcess(pid: number): Process | undefined {
  try {
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      .split('\0')
      .filter((part) => part !== '')
    return { pid, commandLine, startedAt: startOf(readFileSync(`/proc/${pid}/stat`, 'utf8')) }
  } catch {
    return undefined // gone, or never there
  }
}

// The name in brackets may hold anything, blanks and brackets too; the start time is the 20th field after it.
export function startOf(stat: string): string {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

export function readPid(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(path, 'utf8'), 10)
    return Number.isInteger(pid) && pid > 1 ? pid : undefined
  } catch {
    return undefined
  }
}

/** True when the process runs the named program and was started with the given argument: it is the one we mean. */
export function isOurs(process: Process | undefined, program: string, argument: string): boolean {
  const [first = ''] = process?.commandLine ?? []
  return (
    first.split('/').at(-1) === program &&
    (process?.commandLine.some((part) => part.includes(argument)) ?? false)
  )
}

/** Asks the process to end, and makes it end when it does not. */
export async function endProcess(pid: number, patienceSeconds: number): Promise<void> {
  const before = readProcess(pid)
  if (before === undefined) return
  const gone = (): true | undefined =>
    readProcess(pid)?.startedAt === before.startedAt ? undefined : true
  signal(pid, 'SIGTERM')
  try {
    await waitFor(
      { what: `process ${pid} to end`, seconds: patienceSeconds, everySeconds: 0.1 },
      gone,
    )
  } catch {
    signal(pid, 'SIGKILL')
    await waitFor({ what: `process ${pid} to be ended`, seconds: 10, everySeconds: 0.1 }, gone)
  }
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name)
  } catch {
    // it has ended in between, which is what was wanted
  }
}
