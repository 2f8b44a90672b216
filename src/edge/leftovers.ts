import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Longer than any run may take: a run of another container has a process that can't be seen from here. */
const LEAST_AGE_MS = 6 * 3_600_000

/**
 * Removes the workspaces of runs that were killed: images of some gigabytes may lie in them. Those of living processes stay, and those
 * of the last hours, which may belong to processes that can't be seen from here.
 */
export async function removeLeft(parent: string, now = Date.now()): Promise<void> {
  for (const name of await readdir(parent)) {
    const [, pid] = /^run-(\d+)-/.exec(name) ?? []
    if (pid === undefined || isAlive(Number(pid))) continue
    const path = join(parent, name)
    const found = await stat(path).catch(() => undefined) // Somebody else was faster.
    if (found === undefined || now - found.mtimeMs < LEAST_AGE_MS) continue
    // What can't be removed is somebody else's, and no reason to do nothing.
    await rm(path, { recursive: true, force: true }).catch(() => undefined)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Of another user: it is there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
