import { spawnSync } from 'node:child_process'
import { ensure } from './lab.ts'

/** Makes what the lab lacks. Returns what runs Node with all of it in its environment, and gives the exit status; `minutes` at most. */
export async function labRunner(
  parts: Parameters<typeof ensure>[0],
  minutes: number,
): Promise<(argv: readonly string[]) => number> {
  const { environment } = await ensure(parts)
  const env = { ...process.env, ...environment, NODE_NO_WARNINGS: '1' }
  return (argv) =>
    spawnSync(process.execPath, argv, { stdio: 'inherit', env, timeout: minutes * 60_000 })
      .status ?? 1
}
