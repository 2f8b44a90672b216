import { rmSync } from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pinnedTools } from '../tools/install.ts'
import { runProgram } from '../tools/program.ts'
import type { Progress, World } from '../world.ts'
import { removeLeft } from './leftovers.ts'

/** Does `work` in the real world: this machine's clock, programs and network. Its workspace is removed afterwards. */
export async function inRealWorld<T>(
  how: { readonly progress: Progress; readonly signal: AbortSignal },
  work: (world: World) => Promise<T>,
): Promise<T> {
  const parent = join(process.env['RUNNER_TEMP'] ?? tmpdir(), 'todo-deploy')
  await mkdir(parent, { recursive: true })
  await removeLeft(parent)
  const workspace = await mkdtemp(join(parent, `run-${process.pid}-`))
  try {
    return await work(realWorld({ ...how, workspace }))
  } finally {
    removeQuietly(workspace)
  }
}

/** A part of the work may be ending still. What is left is removed by a later run, and must not hide why this one failed. */
function removeQuietly(workspace: string): void {
  try {
    rmSync(workspace, { recursive: true, force: true })
  } catch {
    // Told above.
  }
}

function realWorld(given: Pick<World, 'progress' | 'signal' | 'workspace'>): World {
  return {
    ...given,
    clock: {
      now: () => new Date(),
      sleep: async (milliseconds, stop) => {
        await sleep(milliseconds, undefined, { signal: stop })
      },
    },
    run: runProgram,
    tools: pinnedTools({
      // Loaded when there is something to fetch: it brings a whole HTTP client, which takes a tenth of a second to start.
      download: async (url, file) => {
        const { downloadTool } = await import('@actions/tool-cache')
        await downloadTool(url, file)
      },
      extract: async (archive, folder) => {
        const { extractTar } = await import('@actions/tool-cache')
        await extractTar(archive, folder)
      },
    }),
  }
}

/** Aborts at the first SIGINT or SIGTERM; a second one ends the process at once. */
export function cancelSignal(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => {
      controller.abort(new Error(`cancelled by ${name}`))
    })
  return controller.signal
}
