import { createHash } from 'node:crypto'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where the lab keeps things: one cache folder, and nothing outside it but a socket whose path would be too long. */
export interface Places {
  readonly cache: string
  readonly lab: string
  readonly tools: string
  readonly manifest: string
  readonly work: string
  readonly logs: string
  readonly state: string
  readonly lock: string
  readonly kubeconfig: string
  readonly buildx: string
  readonly registry: string
  readonly engine: EnginePlaces
}

export interface EnginePlaces {
  readonly socket: string
  readonly data: string
  readonly run: string
  readonly pid: string
  readonly configuration: string
  readonly folder: string
}

// The kernel's limit for the path of a Unix socket; the longest name the engine makes below its run folder is the second.
const SOCKET_PATH_LIMIT = 107
const LONGEST_SOCKET_BELOW_RUN = '/containerd/containerd-debug.sock'

type Environment = Readonly<Record<string, string | undefined>>

export function placesOf(environment: Environment): Places {
  const home = environment['XDG_CACHE_HOME'] ?? join(environment['HOME'] ?? homedir(), '.cache')
  const cache = environment['TODO_DEPLOY_CACHE'] ?? join(home, 'todo-deploy')
  const lab = join(cache, 'lab')
  const tools = join(cache, 'tools')
  return {
    cache,
    lab,
    tools,
    manifest: join(tools, 'manifest.json'),
    work: join(cache, 'work'),
    logs: join(lab, 'logs'),
    state: join(lab, 'lab.json'),
    lock: join(lab, 'lock.json'),
    kubeconfig: join(lab, 'kubeconfig'),
    buildx: join(lab, 'buildx'),
    registry: join(lab, 'registry'),
    engine: enginePlaces(cache, lab),
  }
}

function enginePlaces(cache: string, lab: string): EnginePlaces {
  const short = join(
    '/run',
    `todo-deploy-${createHash('sha256').update(cache).digest('hex').slice(0, 8)}`,
  )
  const fits = (path: string): boolean => path.length <= SOCKET_PATH_LIMIT
  const socket = join(lab, 'docker.sock')
  const run = join(lab, 'engine', 'run')
  return {
    socket: fits(socket) ? socket : `${short}.sock`,
    run: fits(run + LONGEST_SOCKET_BELOW_RUN) ? run : short,
    data: join(cache, 'docker'),
    folder: join(lab, 'engine'),
    pid: join(lab, 'engine', 'dockerd.pid'),
    configuration: join(lab, 'engine', 'daemon.json'),
  }
}

export const places: Places = placesOf(process.env)

/** The folder of the lab's own files in the project. */
export const source: string = import.meta.dirname
