import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Lab } from '../lab/lab.ts'
import { places } from '../lab/places.ts'
import { at, isObject, listAt, parseJson, textAt } from '../src/json.ts'

/** A builder like the lab's, whose cache nobody else fills: a runner that was just started. */
export type ColdBuilder = {
  readonly name: string
  /** Takes everything away that was built or fetched. */
  chill: () => Promise<void>
  remove: () => Promise<void>
}

const NAME = 'todo-deploy-bench'
const LIMIT_MS = 120_000

/** Makes the builder from the same image, with the same settings, as the lab's. */
export async function openColdBuilder(lab: Lab, buildx: string, name = NAME): Promise<ColdBuilder> {
  const ask = promisify(execFile)
  const env = { ...process.env, ...lab.environment }
  const run = async (...args: readonly string[]) =>
    (await ask(buildx, args, { env, timeout: LIMIT_MS, maxBuffer: 16 * 1024 * 1024 })).stdout
  const builders = (await run('ls', '--format', 'json'))
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => parseJson(line, 'the list of builders'))
  const [node] = listAt(
    builders.find((one) => textAt(one, 'Name') === lab.builder),
    'Nodes',
  )
  const driver = at(node, 'DriverOpts')
  const options = isObject(driver) ? Object.entries(driver) : []
  await run('rm', '--force', name).catch(() => undefined) // Left by a run that was killed.
  await run(
    ...['create', '--name', name, '--driver', 'docker-container', '--bootstrap'],
    ...options.flatMap(([key, value]) => ['--driver-opt', `${key}=${String(value)}`]),
    ...['--buildkitd-config', `${places.lab}/buildkitd.toml`],
    ...['--buildkitd-flags', listAt(node, 'Flags').join(' ')],
  )
  return {
    name,
    chill: async () => {
      await run('prune', '--builder', name, '--all', '--force')
    },
    remove: async () => {
      await run('rm', '--force', name)
    },
  }
}
