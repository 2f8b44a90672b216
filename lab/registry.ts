import { mkdirSync } from 'node:fs'
import { attempt, run, succeeds } from './command.ts'
import { KEY_LABEL } from './imagebuild.ts'
import { places } from './places.ts'
import { waitFor } from './wait.ts'

export const REGISTRY = 'localhost:5001'
export const REGISTRY_CONTAINER = 'todo-deploy-registry'
const ADDRESS = '127.0.0.1:5001'
const READY_SECONDS = 30
const PUSH_SECONDS = 300

/** Runs the registry from the image unless it runs from that very image; its content outlives it. */
export async function ensureRegistry(image: string, host: string): Promise<void> {
  const docker = ['docker', '--host', host]
  const format = `{{.Config.Image}} {{.State.Running}} {{index .Config.Labels "${KEY_LABEL}.data"}}`
  const { stdout } = await attempt([
    ...docker,
    'inspect',
    '--type',
    'container',
    '--format',
    format,
    REGISTRY_CONTAINER,
  ])
  const [runsFrom, isRunning, data] = stdout.trim().split(' ')
  if (runsFrom !== image || data !== places.registry) {
    await attempt([...docker, 'rm', '--force', '--volumes', REGISTRY_CONTAINER])
    await create(image, docker)
  } else if (isRunning !== 'true' || !(await answersRegistry())) {
    await run([...docker, 'restart', '--time', '3', REGISTRY_CONTAINER])
  }
  await waitFor(
    { what: `the registry at ${ADDRESS} to answer`, seconds: READY_SECONDS },
    async () => ((await answersRegistry()) ? true : undefined),
  )
}

async function create(image: string, docker: readonly string[]): Promise<void> {
  mkdirSync(places.registry, { recursive: true })
  await run([
    ...[...docker, 'run', '--detach', '--name', REGISTRY_CONTAINER, '--restart', 'unless-stopped'],
    ...['--publish', `${ADDRESS}:5000`, '--volume', `${places.registry}:/var/lib/registry`],
    ...['--label', `${KEY_LABEL}.data=${places.registry}`],
    ...[
      '--env',
      'REGISTRY_HTTP_ADDR=0.0.0.0:5000',
      '--env',
      'REGISTRY_STORAGE_DELETE_ENABLED=true',
    ],
    ...['--env', 'REGISTRY_LOG_LEVEL=warn', '--env', 'OTEL_TRACES_EXPORTER=none', image],
  ])
}

export async function answersRegistry(): Promise<boolean> {
  try {
    return (await fetch(`http://${ADDRESS}/v2/`, { signal: AbortSignal.timeout(2000) })).ok
  } catch {
    return false // not there yet, or not any more: the caller decides
  }
}

/** Publishes an image of the engine under a name in the registry, unless that very image is there under it. */
export async function publishImage(image: string, name: string, host: string): Promise<void> {
  const docker = ['docker', '--host', host]
  const id = (await run([...docker, 'image', 'inspect', '--format', '{{.Id}}', image])).trim()
  if ((await publishedId(name)) === id) return
  await run([...docker, 'tag', image, `${REGISTRY}/${name}`])
  await run([...docker, 'push', '--quiet', `${REGISTRY}/${name}`], {
    timeoutSeconds: PUSH_SECONDS,
    log: 'publish.log',
  })
}

// The id of an image in the engine is the digest of its configuration, which the manifest names.
async function publishedId(name: string): Promise<string | undefined> {
  const at = name.lastIndexOf(':')
  const url = `http://${ADDRESS}/v2/${name.slice(0, at)}/manifests/${name.slice(at + 1)}`
  const headers = { Accept: 'application/vnd.docker.distribution.manifest.v2+json' }
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(5000) })
  const manifest = answer.ok
    ? ((await answer.json()) as { config?: { digest?: string } })
    : undefined
  return manifest?.config?.digest
}

export function removeRegistry(host: string): Promise<boolean> {
  return succeeds(['docker', '--host', host, 'rm', '--force', '--volumes', REGISTRY_CONTAINER])
}
