import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BRIDGE, anotherLab, makeBridge, refuseAnotherLab } from './bridge.ts'
import { run, succeeds } from './command.ts'
import { LabError, textOf } from './failure.ts'
import { writeAtomically } from './files.ts'
import { installTool } from './gotools.ts'
import { removeBridges, unmountBelow } from './leftovers.ts'
import { places } from './places.ts'
import { endProcess, isOurs, readPid, readProcess } from './processes.ts'
import { waitFor } from './wait.ts'

const START_SECONDS = 60
const STOP_SECONDS = 40
const ASK_SECONDS = 10

const { engine } = places
const runtime = join(engine.folder, 'runtime')
export const ownHost = `unix://${engine.socket}`

/** Starts the lab's own engine unless it answers already. */
export async function ensureOwnEngine(say: (line: string) => void): Promise<void> {
  if (await answers()) return
  refuseAnotherLab(engine.configuration)
  await clearLeftovers(say)
  for (const folder of [engine.folder, engine.data, engine.run, places.logs])
    mkdirSync(folder, { recursive: true })
  installTool('runtime', runtime)
  await makeBridge()
  writeAtomically(engine.configuration, `${JSON.stringify(configuration(), null, 2)}\n`)
  startDaemon()
  await waitFor({ what: 'the Docker engine to answer', seconds: START_SECONDS }, async () => {
    if (await answers()) return true
    if (readDaemon() === undefined && existsSync(engine.pid)) throw new LabError(explainStart())
    return undefined
  }).catch((failure: unknown) => {
    throw new LabError(`${textOf(failure)}\n${explainStart()}`)
  })
}

export function answers(): Promise<boolean> {
  if (!existsSync(engine.socket)) return Promise.resolve(false)
  return succeeds(['docker', '--host', ownHost, 'version', '--format', '{{.Server.Version}}'], {
    timeoutSeconds: ASK_SECONDS,
  })
}

function configuration(): object {
  return {
    hosts: [ownHost],
    'data-root': engine.data,
    'exec-root': engine.run,
    pidfile: engine.pid,
    bridge: BRIDGE,
    runtimes: { 'todo-deploy': { path: runtime } },
    'default-runtime': 'todo-deploy',
    'log-opts': { 'max-size': '10m', 'max-file': '2' },
  }
}

function startDaemon(): void {
  const log = openSync(join(places.logs, 'dockerd.log'), 'a')
  const PATH = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`
  const daemon = spawn('dockerd', ['--config-file', engine.configuration], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, PATH, DOCKER_HOST: undefined },
  })
  daemon.on('error', () => undefined) // the wait that follows reports it with the log
  daemon.unref()
}

function explainStart(): string {
  const path = join(places.logs, 'dockerd.log')
  const said = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []
  const failures = said.filter((line) => /level=(error|fatal)|failed to start/.test(line)).slice(-3)
  return `The engine said (${path}):\n${(failures.length > 0 ? failures : said.slice(-3)).join('\n')}`
}

/** The daemon that our pid file names, if that number still belongs to it. */
export function readDaemon(): number | undefined {
  const pid = readPid(engine.pid)
  return pid !== undefined && isOurs(readProcess(pid), 'dockerd', engine.configuration)
    ? pid
    : undefined
}

function readContainerd(): number | undefined {
  const pid = readPid(join(engine.run, 'containerd', 'containerd.pid'))
  return pid !== undefined && isOurs(readProcess(pid), 'containerd', engine.run) ? pid : undefined
}

/** Ends a daemon that no longer answers and removes what a machine stopped hard leaves: pid files, sockets. */
async function clearLeftovers(say: (line: string) => void): Promise<void> {
  const daemon = readDaemon()
  if (daemon !== undefined) {
    say(`the engine (process ${daemon}) does not answer: starting it anew`)
    await endProcess(daemon, STOP_SECONDS)
  }
  const containerd = readContainerd()
  if (containerd !== undefined) await endProcess(containerd, ASK_SECONDS)
  const stale = [
    engine.pid,
    engine.socket,
    join(engine.run, 'containerd', 'containerd.pid'),
    join(engine.run, 'containerd', 'containerd.sock'),
    join(engine.run, 'containerd', 'containerd-debug.sock'),
    join(engine.run, 'containerd', 'containerd.sock.ttrpc'),
  ].filter((path) => existsSync(path))
  if (daemon === undefined && stale.length > 0)
    say('clearing what the engine left when it was stopped hard')
  for (const path of stale) rmSync(path, { recursive: true, force: true })
}

/** Ends the lab's own engine and removes its mounts and interfaces. */
export async function stopOwnEngine(): Promise<void> {
  const bridges = (await answers()) ? await listBridges() : []
  const daemon = readDaemon()
  if (daemon !== undefined) await endProcess(daemon, STOP_SECONDS)
  const containerd = readContainerd()
  if (containerd !== undefined) await endProcess(containerd, ASK_SECONDS)
  await unmountBelow([engine.data, engine.run])
  const isShared = anotherLab(engine.configuration) !== undefined
  await removeBridges(isShared ? bridges : [...bridges, BRIDGE])
  for (const path of [engine.pid, engine.socket, engine.run])
    rmSync(path, { recursive: true, force: true })
}

async function listBridges(): Promise<string[]> {
  const ids = await run([
    'docker',
    '--host',
    ownHost,
    'network',
    'ls',
    '--filter',
    'driver=bridge',
    '--no-trunc',
    '--quiet',
  ])
  return ids
    .split('\n')
    .filter((id) => id !== '')
    .map((id) => `br-${id.slice(0, 12)}`)
}
