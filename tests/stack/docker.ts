import { execFile, spawnSync } from 'node:child_process'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { lab } from '../e2e/lab.ts'

export const environment = { ...process.env, ...lab.environment, DOCKER_HOST: lab.dockerHost }
const LIMIT_MS = 120_000
/** What an image may not need more than, in a cluster as here. */
const CONFINED = [
  '--read-only',
  '--cap-drop',
  'ALL',
  '--security-opt',
  'no-new-privileges',
] as const

export type Start = {
  readonly name: string
  readonly image: string
  readonly network?: string
  /** Its name in the network. */
  readonly alias?: string
  readonly env?: Readonly<Record<string, string>>
  /** Folders in memory, beside /tmp. */
  readonly memory?: readonly string[]
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly argv?: readonly string[]
}

/** Runs the docker client and returns what it printed; throws with its words when it fails. */
export async function docker(...argv: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('docker', argv, {
    env: environment,
    timeout: LIMIT_MS,
    maxBuffer: 64 * 1024 * 1024,
  })
  return stdout.trim()
}

/** Starts a container as a cluster would: nothing to write to but memory, no capability, the image's own user. */
export async function start(what: Start): Promise<void> {
  const flags = [
    ...['--detach', '--name', what.name, ...CONFINED, '--user', '10001:10001'],
    ...['/tmp', ...(what.memory ?? [])].flatMap((at) => [
      '--tmpfs',
      `${at}:uid=10001,gid=10001,mode=0700`,
    ]),
    ...(what.network === undefined ? [] : ['--network', what.network]),
    ...(what.alias === undefined ? [] : ['--network-alias', what.alias]),
    ...Object.entries(what.env ?? {}).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ...(what.volumes ?? []).flatMap((volume) => ['--volume', volume]),
    ...(what.ports ?? []).flatMap((port) => ['--publish', `127.0.0.1::${port}`]),
  ]
  await docker('run', ...flags, what.image, ...(what.argv ?? []))
}

/** The address of this machine at which a published port of a container is. */
export async function addressOf(name: string, port: string): Promise<string> {
  return `http://${(await docker('port', name, port)).split('\n')[0] ?? ''}`
}

/** Removes containers, networks and volumes whose names begin so; what is not there is no trouble. */
export function sweep(prefix: string): void {
  const run = (...argv: readonly string[]) =>
    spawnSync('docker', argv, { env: environment, encoding: 'utf8', timeout: LIMIT_MS }).stdout
  const found = (...list: readonly string[]) =>
    run(...list)
      .split('\n')
      .filter((name) => name.startsWith(prefix))
  const containers = found('ps', '--all', '--format', '{{.Names}}')
  if (containers.length > 0) run('rm', '--force', '--volumes', ...containers)
  for (const kind of ['network', 'volume'])
    for (const name of found(kind, 'ls', '--format', '{{.Name}}')) run(kind, 'rm', name)
}

/** Seconds until `look` says yes; throws after `limit`. */
export async function secondsUntil(look: () => Promise<boolean>, limit: number): Promise<number> {
  const started = performance.now()
  const passed = () => (performance.now() - started) / 1000
  while (!(await look().catch(() => false))) {
    if (passed() > limit) throw new Error(`not there after ${limit} s`)
    await sleep(25)
  }
  return passed()
}

export async function answers(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(2000) })
  await answer.arrayBuffer()
  return answer.status === 200
}
