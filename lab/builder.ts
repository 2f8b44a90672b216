import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { attempt, run, succeeds } from './command.ts'
import { keyOf, readJson, writeAtomically } from './files.ts'
import { places } from './places.ts'
import { REGISTRY } from './registry.ts'

export const BUILDER = 'todo-deploy'
const START_SECONDS = 120

export interface BuilderPlan {
  /** The image that BuildKit runs from. */
  readonly image: string
  /** The program buildx. */
  readonly buildx: string
  readonly host: string
  /** True where official images come from the lab's own registry. */
  readonly mirrored: boolean
}

/** Makes the builder, or starts it where it is already as it should be. */
export async function ensureBuilder(plan: BuilderPlan): Promise<void> {
  const settings = join(places.lab, 'buildkitd.toml')
  const keyFile = join(places.lab, 'builder.json')
  const key = keyOf(plan.image, plan.host, configuration(plan.mirrored))
  const env = environmentOf(plan.host)
  mkdirSync(places.buildx, { recursive: true })
  const start = [plan.buildx, 'inspect', '--bootstrap', BUILDER]
  const isKnown = (readJson(keyFile) as { key?: string } | undefined)?.key === key
  if (
    isKnown &&
    (await succeeds(start, { env, timeoutSeconds: START_SECONDS, log: 'builder.log' }))
  )
    return
  await attempt([plan.buildx, 'rm', '--force', BUILDER], { env })
  writeFileSync(settings, configuration(plan.mirrored))
  await run(createArguments(plan, settings), { env, log: 'builder.log' })
  await run(start, { env, timeoutSeconds: START_SECONDS, log: 'builder.log' })
  writeAtomically(keyFile, JSON.stringify({ key }))
}

/** What a program needs in its environment to find the builder. */
export function environmentOf(host: string): Record<string, string> {
  return { DOCKER_HOST: host, BUILDX_CONFIG: places.buildx, BUILDX_BUILDER: BUILDER }
}

export function createArguments(plan: BuilderPlan, settings: string): string[] {
  return [
    ...[plan.buildx, 'create', '--name', BUILDER, '--driver', 'docker-container'],
    ...['--driver-opt', `image=${plan.image}`, '--driver-opt', 'network=host'],
    ...[
      '--buildkitd-config',
      settings,
      '--buildkitd-flags',
      '--allow-insecure-entitlement network.host',
    ],
  ]
}

// Host network all the way: the builder reaches the registry as localhost, and builds reach what the host reaches.
function configuration(mirrored: boolean): string {
  const mirror = mirrored ? `[registry."docker.io"]\n  mirrors = ["${REGISTRY}"]\n` : ''
  const worker = mirrored ? '  binary = "/usr/bin/lab-runtime"\n' : ''
  return `${mirror}[registry."${REGISTRY}"]
  http = true
[worker.oci]
  networkMode = "host"
${worker}  gc = true
  reservedSpace = "2GB"
  maxUsedSpace = "10GB"
`
}

export async function removeBuilder(buildx: string, host: string): Promise<void> {
  await attempt([buildx, 'rm', '--force', BUILDER], { env: environmentOf(host) })
}
