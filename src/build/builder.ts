import { at, isObject, listAt, parseJson, textAt } from '../json.ts'
import type { World } from '../world.ts'

/** What a builder is, as far as it decides what comes out. */
export type Builder = {
  /** Version of BuildKit. */
  readonly version: string
  /** The platform that is built where nobody names one. */
  readonly platform: string
  /** Registry → mirrors that the builder asks first, as its configuration says. */
  readonly mirrors: ReadonlyMap<string, readonly string[]>
}

const TIMEOUT_S = 60

/**
 * Asks buildx about a builder; an empty name is the one that buildx builds with: that of BUILDX_BUILDER, else the current one. Undefined
 * where it does not say enough.
 */
export async function readBuilder(name: string, world: World): Promise<Builder | undefined> {
  const buildx = await world.tools('buildx')
  const result = await world.run(
    { argv: [buildx, 'ls', '--format', 'json'], timeoutSeconds: TIMEOUT_S },
    world.signal,
  )
  if (result.status !== 0) return undefined
  const builders = result.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => parseJson(line, 'the list of builders'))
  const wanted = name || (process.env['BUILDX_BUILDER'] ?? '')
  const builder = builders.find((one) =>
    wanted === '' ? at(one, 'Current') === true : textAt(one, 'Name') === wanted,
  )
  // Several nodes may be of several versions: nothing that could be relied on.
  const [node, ...more] = listAt(builder, 'Nodes')
  const version = textAt(node, 'Version') ?? ''
  const platform = textAt(node, 'Platforms', 0) ?? ''
  if (more.length > 0 || version === '' || platform === '') return undefined
  return { version, platform, mirrors: mirrorsOf(node) }
}

/** Whether a builder holds nothing yet, as one on a runner that was just made; an empty name is the current one. False where it does not say. */
export async function isNewBuilder(name: string, world: World): Promise<boolean> {
  const buildx = await world.tools('buildx')
  const which = name === '' ? [] : ['--builder', name]
  const argv = [buildx, 'du', ...which, '--format', 'json'] as const
  const { status, stdout } = await world.run({ argv, timeoutSeconds: TIMEOUT_S }, world.signal)
  return status === 0 && stdout.trim() === ''
}

function mirrorsOf(node: unknown): ReadonlyMap<string, readonly string[]> {
  const files = at(node, 'Files')
  const encoded = isObject(files) ? textAt(files, 'buildkitd.toml') : undefined
  return readMirrors(Buffer.from(encoded ?? '', 'base64').toString())
}

/** The mirrors in a `buildkitd.toml`, as buildx writes it: `[registry.'docker.io']`, then `mirrors = ['…']`. */
export function readMirrors(toml: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>()
  let registry: string | undefined
  for (const line of toml.split('\n')) {
    const [, table] = /^\s*\[([^\]]+)\]/.exec(line) ?? []
    if (table !== undefined) registry = /^registry\.["']?([^"']+)["']?$/.exec(table)?.[1]
    const [, list] = /^\s*mirrors\s*=\s*\[(.*)\]/.exec(line) ?? []
    if (registry === undefined || list === undefined) continue
    found.set(
      registry,
      [...list.matchAll(/["']([^"']+)["']/g)].map(([, mirror = '']) => mirror),
    )
  }
  return found
}
