import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { LabError } from './failure.ts'
import { readProcess } from './processes.ts'
import { waitFor } from './wait.ts'

interface Owner {
  readonly pid: number
  readonly startedAt: string
}

const LONGEST_START_SECONDS = 3600
const REMIND_SECONDS = 30

/** Takes the lock for this process, waiting while another living one has it; returns what gives it back. */
export async function takeLock(path: string, say: (line: string) => void): Promise<() => void> {
  mkdirSync(dirname(path), { recursive: true })
  const self: Owner = { pid: process.pid, startedAt: readProcess(process.pid)?.startedAt ?? '' }
  let saidAt = 0
  await waitFor(
    { what: 'another start of the lab to end', seconds: LONGEST_START_SECONDS, everySeconds: 1 },
    () => {
      if (tryToWrite(path, self)) return true
      const owner = readOwner(path)
      if (!isHeld(owner, owner === undefined ? undefined : readProcess(owner.pid)?.startedAt)) {
        rmSync(path, { force: true })
        return undefined
      }
      if (Date.now() - saidAt > REMIND_SECONDS * 1000) {
        say(`another start of the lab (process ${owner?.pid ?? 0}) is under way: waiting for it`)
        saidAt = Date.now()
      }
      return undefined
    },
  )
  const giveBack = (): void => {
    if (readOwner(path)?.pid === self.pid) rmSync(path, { force: true })
  }
  process.once('exit', giveBack)
  return () => {
    process.off('exit', giveBack)
    giveBack()
  }
}

/** A lock is held while the very process that took it lives; the number alone may belong to a later one. */
export function isHeld(owner: Owner | undefined, startedAt: string | undefined): boolean {
  return owner !== undefined && startedAt !== undefined && owner.startedAt === startedAt
}

function tryToWrite(path: string, owner: Owner): boolean {
  try {
    writeFileSync(path, JSON.stringify(owner), { flag: 'wx' })
    return true
  } catch (failure) {
    if (failure instanceof Error && 'code' in failure && failure.code === 'EEXIST') return false
    throw new LabError(
      `The lab's folder ${dirname(path)} cannot be written: ${failure instanceof Error ? failure.message : ''}`,
    )
  }
}

function readOwner(path: string): Owner | undefined {
  try {
    const owner: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return typeof owner === 'object' && owner !== null && 'pid' in owner
      ? (owner as Owner)
      : undefined
  } catch {
    return undefined // being written or removed at this moment, or cut off
  }
}
