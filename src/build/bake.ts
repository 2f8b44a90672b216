import { mkdir, readFile, rm } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { UserError } from '../errors.ts'
import { parseJson, textAt } from '../json.ts'
import { type LayoutImage, readLayout } from '../registry/layout.ts'
import { isDigest } from '../registry/reference.ts'
import type { World } from '../world.ts'
import type { BakePlan } from './bakeplan.ts'
import { followBuild } from './buildlog.ts'
import { dockerfileOf } from './inputkey.ts'
import { CHECKS_IN_METADATA, type DockerfileCheck, readChecks } from './checks.ts'

export type BakeOptions = {
  readonly builder: string
  /** Such as `linux/amd64`; empty: what the bake file says. */
  readonly platforms: readonly string[]
  /** Registry cache for each image, or the builder's own only. */
  readonly cache: { readonly repository: string } | 'builder'
}

/** What came of a build: the digest of each image, and what BuildKit's checks say about the Dockerfiles. */
export type Baked = {
  readonly digests: ReadonlyMap<string, string>
  readonly checks: readonly DockerfileCheck[]
}

const BUILD_TIMEOUT_S = 3600
/** Files that are younger than SOURCE_DATE_EPOCH get that time: the same input makes the same digest, whenever it is built. */
const DATED = 'rewrite-timestamp=true'

/**
 * Builds the named targets in one session and returns the digest each would be published under. The images stay in the builder:
 * which of them have to be fetched is decided by digest.
 */
export async function bakeDigests(
  plan: BakePlan,
  options: BakeOptions & { readonly names: readonly string[] },
  world: World,
): Promise<Baked> {
  const file = join(world.workspace, 'bake-metadata.json')
  const output = () => `type=image,push=false,oci-mediatypes=true,${DATED}`
  const { names } = options
  const args = bakeArguments(plan, { ...options, output })
  await runBake(plan, [...args, '--metadata-file', file], world)
  const metadata = parseJson(await readFile(file, 'utf8'), 'the metadata of bake')
  const digests = new Map(names.map((name) => [name, digestOf(metadata, name)]))
  return { digests, checks: await readChecks(metadata, plan) }
}

/** Fetches built images, each into an OCI layout of its own below the workspace. */
export async function exportLayouts(
  plan: BakePlan,
  options: BakeOptions & { readonly names: readonly string[] },
  world: World,
): Promise<ReadonlyMap<string, LayoutImage>> {
  if (options.names.length === 0) return new Map()
  const folder = join(world.workspace, 'layouts')
  await rm(folder, { recursive: true, force: true }) // An exporter adds to what is there already.
  await mkdir(folder, { recursive: true })
  const output = (name: string) => `type=oci,tar=false,dest=${join(folder, name)},${DATED}`
  const allow = `--allow=fs.write=${folder}`
  await runBake(plan, [...bakeArguments(plan, { ...options, output }), allow], world)
  const images = new Map<string, LayoutImage>()
  for (const name of options.names) images.set(name, await readLayout(join(folder, name)))
  return images
}

async function runBake(plan: BakePlan, args: readonly string[], world: World): Promise<void> {
  const buildx = await world.tools('buildx')
  const result = await world.run(
    {
      argv: [buildx, ...args],
      cwd: plan.folder,
      env: { ...process.env, ...CHECKS_IN_METADATA },
      timeoutSeconds: BUILD_TIMEOUT_S,
      onLine: followBuild(world.progress.say),
    },
    world.signal,
  )
  if (result.status !== 0) throw explainBuild(result.stderr, plan)
}

function digestOf(metadata: unknown, name: string): string {
  const digest = textAt(metadata, name, 'containerimage.digest') ?? ''
  if (isDigest(digest)) return digest
  throw new UserError(
    `The builder named no digest for ${name}; use one with the docker-container driver`,
  )
}

/** The arguments of `buildx` (pure, so that a test can read them). */
export function bakeArguments(
  plan: BakePlan,
  options: BakeOptions & {
    readonly names: readonly string[]
    readonly output: (name: string) => string
  },
): readonly string[] {
  const { builder, platforms, cache, names, output } = options
  const set = (target: string, key: string, value: string) => ['--set', `${target}.${key}=${value}`]
  return [
    'bake',
    ...entitlements(plan),
    '--file',
    plan.file,
    '--progress=plain',
    '--provenance=false',
    '--sbom=false',
    ...(builder === '' ? [] : ['--builder', builder]),
    ...(platforms.length === 0 ? [] : set('*', 'platform', platforms.join(','))),
    ...names.flatMap((name) => [
      ...set(name, 'output', output(name)),
      ...dateArguments(plan, name),
      ...(cache === 'builder' ? [] : cacheArguments(name, cache.repository)),
    ]),
    ...names,
  ]
}

function dateArguments(plan: BakePlan, name: string): string[] {
  const date = plan.targets.find((target) => target.name === name)?.args['SOURCE_DATE_EPOCH']
  return date === undefined ? [] : ['--set', `${name}.args.SOURCE_DATE_EPOCH=${date}`]
}

/** bake asks before it reads contexts outside its own folder, which is what the user's file names. */
function entitlements(plan: BakePlan): string[] {
  const outside = plan.targets
    .map(({ context }) => resolve(plan.folder, context))
    .filter((context) => relative(plan.folder, context).startsWith('..'))
  return outside.map((context) => `--allow=fs.read=${context}`)
}

/** A cache that can't be read or written never fails a build. */
function cacheArguments(name: string, repository: string): string[] {
  const ref = `type=registry,ref=${repository}:${name}`
  return [
    '--set',
    `${name}.cache-from=${ref}`,
    '--set',
    `${name}.cache-to=${ref},mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true`,
  ]
}

/** The cause of a failed build in one line: which image and step, and why; then the last words of what failed. */
export function explainBuild(
  stderr: string,
  plan: Pick<BakePlan, 'folder' | 'targets'>,
): UserError {
  const lines = stderr.split('\n')
  const summary = lines.findLast((line) => line.startsWith('ERROR:')) ?? ''
  // BuildKit names the target only where there are several.
  const [only, ...more] = plan.targets
  const name = /target (\S+): /.exec(summary)?.[1] ?? (more.length === 0 ? only?.name : undefined)
  const target = plan.targets.find((one) => one.name === name)
  const [, written, line] =
    lines.map((one) => /^(\S*Dockerfile):(\d+)$/.exec(one.trim())).find((one) => one !== null) ?? []
  const cause = summary.replace(
    /^ERROR: (?:target \S+: )?(?:failed to build: )?(?:failed to solve: )?/,
    '',
  )
  const file = target === undefined ? undefined : dockerfileOf(target, plan.folder)
  const place =
    file === undefined || line === undefined
      ? undefined
      : { file: relative(plan.folder, file), line: Number(line) }
  const who = name === undefined ? 'An image' : `The image ${name}`
  const where = line === undefined ? '' : ` at ${place?.file ?? written ?? ''}:${line}`
  return new UserError(
    `${who} did not build${where}: ${cause || 'see below'}`,
    failureBlock(lines),
    { place },
  )
}

/** BuildKit prints the failed step's output between two lines of six dashes; the longer ones frame a piece of the Dockerfile. */
function failureBlock(lines: readonly string[]): string[] {
  const end = lines.findLastIndex((line) => /^-{6}$/.test(line))
  if (end < 0) return lines.slice(-20)
  const start = lines.slice(0, end).findLastIndex((line) => /^ > |^-{6}$/.test(line))
  return lines.slice(Math.max(start, end - 30), end).filter((line) => line.trim() !== '')
}
