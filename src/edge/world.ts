import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { downloadTool, extractTar } from '@actions/tool-cache'
import { pinnedTools } from '../tools/install.ts'
import { runProgram } from '../tools/program.ts'
import type { Progress, World } from '../world.ts'

/** The real world: this machine's clock, programs and network. */
export async function realWorld(progress: Progress, signal: AbortSignal): Promise<World> {
  const parent = join(process.env['RUNNER_TEMP'] ?? tmpdir(), 'todo-deploy')
  await mkdir(parent, { recursive: true })
  return {
    progress,
    signal,
    workspace: await mkdtemp(join(parent, 'run-')),
    clock: {
      now: () => new Date(),
      sleep: async (milliseconds, stop) => {
        await sleep(milliseconds, undefined, { signal: stop })
      },
    },
    run: runProgram,
    tools: pinnedTools({
      download: async (url, file) => {
        await downloadTool(url, file)
      },
      extract: async (archive, folder) => {
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
