import { existsSync } from 'node:fs'
import { attempt, succeeds } from './command.ts'
import { LabError } from './failure.ts'
import { places } from './places.ts'

export type Way = 'online' | 'offline'

export interface Reach {
  readonly way: Way
  /** In words, for the reader: why this way. */
  readonly why: string
  /** The address of a Docker engine that was there before the lab, or undefined. */
  readonly engine: string | undefined
}

const PUBLIC_REGISTRY = 'https://registry-1.docker.io/v2/'
const PATIENCE_SECONDS = 5

/** Looks at what this machine has and can reach, and chooses the way the lab's parts are come by. */
export async function findReach(): Promise<Reach> {
  const [engine, registry] = await Promise.all([findEngine(), answersRegistry()])
  const wanted = process.env['TODO_DEPLOY_WAY']
  if (wanted !== undefined && wanted !== 'online' && wanted !== 'offline') {
    throw new LabError(`TODO_DEPLOY_WAY is "${wanted}"; it can be online or offline.`)
  }
  return choose({ engine, registry, wanted })
}

export interface Seen {
  readonly engine: string | undefined
  readonly registry: boolean
  readonly wanted: Way | undefined
}

export function choose({ engine, registry, wanted }: Seen): Reach {
  if (wanted !== undefined) return { way: wanted, why: 'TODO_DEPLOY_WAY says so', engine }
  const has = engine === undefined ? 'no Docker engine answers' : 'a Docker engine answers'
  if (engine !== undefined && registry) {
    return { way: 'online', why: `${has} and public container registries can be reached`, engine }
  }
  const cannot = registry
    ? 'public container registries can be reached'
    : 'no public container registry can be reached'
  return {
    way: 'offline',
    why: `${has} and ${cannot}: everything is made from package registries`,
    engine,
  }
}

// The lab's own engine, named by the user's DOCKER_HOST, is not one that was there before.
async function findEngine(): Promise<string | undefined> {
  const named = process.env['DOCKER_HOST']
  if (named === `unix://${places.engine.socket}`) return undefined
  const answer = await attempt(['docker', 'version', '--format', '{{.Server.Version}}'], {
    timeoutSeconds: PATIENCE_SECONDS,
  })
  if (answer.code !== 0) return undefined
  if (named !== undefined) return named
  const context = await attempt([
    'docker',
    'context',
    'inspect',
    '--format',
    '{{.Endpoints.docker.Host}}',
  ])
  return context.code === 0 ? context.stdout.trim() : 'unix:///var/run/docker.sock'
}

async function answersRegistry(): Promise<boolean> {
  try {
    const response = await fetch(PUBLIC_REGISTRY, {
      signal: AbortSignal.timeout(PATIENCE_SECONDS * 1000),
    })
    return response.status === 200 || response.status === 401
  } catch {
    return false // whatever the reason, it cannot be used
  }
}

/** Throws one clear sentence when the offline way cannot work on this machine. */
export async function checkOffline(reach: Reach): Promise<void> {
  if (process.platform !== 'linux') {
    throw new LabError(
      'No Docker engine and public registry can be reached from here: start Docker, and check the network.',
    )
  }
  if (reach.engine === undefined && process.getuid?.() !== 0) {
    throw new LabError(
      'No Docker engine answers, and starting one needs root: start Docker, or run this as root.',
    )
  }
  if (!existsSync('/usr/bin/apt-get') || !(await succeeds(['apt-get', '--version']))) {
    throw new LabError(
      'Without a public container registry the base images are made of Debian packages, and this machine has no apt-get.',
    )
  }
}
