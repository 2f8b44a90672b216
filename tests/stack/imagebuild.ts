import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { bakeArguments } from '../../src/build/bake.ts'
import { type BakePlan, readBakePlan } from '../../src/build/bakeplan.ts'
import { inRealWorld } from '../../src/edge/world.ts'
import { at, listAt, parseJson, textAt } from '../../src/json.ts'
import { lab, REGISTRY } from '../e2e/lab.ts'
import { docker, environment } from './docker.ts'

const FOLDER = resolve('out', 'stack', 'images')
const BUILD_MS = 900_000
const silent = {
  step: async <T>(_: string, work: () => Promise<T>) => await work(),
  say: () => undefined,
  warn: () => undefined,
  show: () => undefined,
}

export type Size = {
  /** Megabytes of the layers above the base, on disk and as they are transferred. */
  readonly own: number
  readonly ownPacked: number
  readonly whole: number
}

/** Builds what the product builds, in the way the product does. `how` names what is different, as `--no-cache`. */
export async function build(
  names: readonly string[],
  how: { readonly flags?: readonly string[]; readonly publish?: boolean } = {},
): Promise<ReadonlyMap<string, string>> {
  mkdirSync(FOLDER, { recursive: true })
  return await inRealWorld(
    { progress: silent, signal: AbortSignal.timeout(BUILD_MS) },
    async (world) => {
      const plan = await readBakePlan(
        { file: 'docker-bake.hcl', folder: '.', targets: names },
        world,
      )
      const target = (name: string) => `name=${REGISTRY}/${name},push-by-digest=true,push=true`
      const output = (name: string) =>
        `type=image,oci-mediatypes=true,rewrite-timestamp=true,${how.publish === true ? target(name) : 'push=false'}`
      return await bake(await world.tools('buildx'), plan, {
        names,
        output,
        flags: how.flags ?? [],
      })
    },
  )
}

async function bake(
  buildx: string,
  plan: BakePlan,
  how: {
    readonly names: readonly string[]
    readonly output: (name: string) => string
    readonly flags: readonly string[]
  },
): Promise<ReadonlyMap<string, string>> {
  const { names, output, flags } = how
  const metadata = join(FOLDER, 'metadata.json')
  const cleared = { ...plan, targets: plan.targets.map((one) => ({ ...one })) }
  const args = bakeArguments(cleared, {
    ...{ builder: lab.builder, platforms: [] },
    ...{ names, output },
  })
  // A name in the bake file would be pushed as a tag beside the digest.
  const tags = names.flatMap((name) => ['--set', `${name}.tags=`])
  await run([buildx, ...args, ...tags, ...flags, '--metadata-file', metadata])
  const found = parseJson(readFileSync(metadata, 'utf8'), metadata)
  return new Map(names.map((name) => [name, textAt(found, name, 'containerimage.digest') ?? '']))
}

async function run([command = '', ...args]: readonly string[]): Promise<void> {
  const child = spawn(command, args, { env: environment, timeout: BUILD_MS })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  const status = await new Promise((resolve) => child.on('close', resolve))
  if (status !== 0) throw new Error(said.split('\n').slice(-40).join('\n'))
}

/** The base images, published under a name of ours, so that engine and registry know their layers. */
export async function publishBases(
  bases: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, string>> {
  mkdirSync(FOLDER, { recursive: true })
  const file = join(FOLDER, 'bases.json')
  const metadata = join(FOLDER, 'bases-metadata.json')
  const name = `${REGISTRY}/base`
  const target = Object.fromEntries(
    Object.entries(bases).map(([key, image]) => [
      key,
      {
        'dockerfile-inline': `FROM ${image}\n`,
        output: [`type=image,oci-mediatypes=true,name=${name},push-by-digest=true,push=true`],
      },
    ]),
  )
  writeFileSync(file, JSON.stringify({ target }))
  const { buildx } = {
    buildx: await inRealWorld(
      { progress: silent, signal: AbortSignal.timeout(BUILD_MS) },
      (world) => world.tools('buildx'),
    ),
  }
  await run([
    ...[buildx, 'bake', '--file', file, '--builder', lab.builder, '--provenance=false'],
    ...['--metadata-file', metadata, ...Object.keys(bases)],
  ])
  const found = parseJson(readFileSync(metadata, 'utf8'), metadata)
  return new Map(
    Object.keys(bases).map((key) => [
      key,
      `${name}@${textAt(found, key, 'containerimage.digest') ?? ''}`,
    ]),
  )
}

/** Reads the sizes of an image that the engine has pulled, against those of its base. */
export async function sizeOf(image: string, base: string): Promise<Size> {
  const [layers, below] = [await layersOf(image), await layersOf(base)]
  const isOwn = ({ digest }: Layer) => !below.some((one) => one.digest === digest)
  const packed = layers.filter(isOwn).reduce((sum, { size }) => sum + size, 0)
  const bytes = async (name: string) =>
    Number(await docker('image', 'inspect', '--format', '{{.Size}}', name))
  const whole = await bytes(image)
  return {
    own: (whole - (await bytes(base))) / 1e6,
    ownPacked: packed / 1e6,
    whole: whole / 1e6,
  }
}

type Layer = { readonly digest: string; readonly size: number }

async function layersOf(image: string): Promise<readonly Layer[]> {
  const [repository = '', digest = ''] = image.replace(`${lab.registry}/`, '').split('@')
  const answer = await fetch(`http://${lab.registry}/v2/${repository}/manifests/${digest}`, {
    headers: { Accept: 'application/vnd.oci.image.manifest.v1+json' },
  })
  const manifest: unknown = await answer.json()
  return listAt(manifest, 'layers').map((layer) => ({
    digest: textAt(layer, 'digest') ?? '',
    size: Number(at(layer, 'size')),
  }))
}

/** Takes what was just written out of memory, where the machine lets us: the next start reads from disk. */
export function forgetPages(): boolean {
  try {
    execFileSync('sync')
    writeFileSync('/proc/sys/vm/drop_caches', '1')
    return true
  } catch {
    return false // Not root, or no Linux: what was pulled is still in memory.
  }
}
