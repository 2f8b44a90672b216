import { mkdir, readFile, symlink } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { diskFull, messageOf, type UserError } from '../errors.ts'
import { parseJson } from '../json.ts'
import { type LayoutImage, readLayout } from '../registry/layout.ts'
import type { ProgramResult, World } from '../world.ts'
import type { BakePlan } from './bakeplan.ts'
import { followBuild } from './buildlog.ts'
import type { CachePlace, CacheSources } from './cache.ts'
import { explainBuild } from './buildfailure.ts'
import { CHECKS_IN_METADATA, type DockerfileCheck, readChecks } from './checks.ts'

export type BakeOptions = {
  readonly builder: string
  /** Such as `linux/amd64`; empty: what the bake file says. */
  readonly platforms: readonly string[]
  /** Whether every file gets the time SOURCE_DATE_EPOCH: then the same inputs make the same digest wherever and whenever they are built. */
  readonly reproducible: boolean
}

/** What came of a build: the bytes of each image, and what BuildKit's checks say about the Dockerfiles. */
export type Baked = {
  readonly layouts: ReadonlyMap<string, LayoutImage>
  readonly checks: readonly DockerfileCheck[]
}

const BUILD_TIMEOUT_S = 3600
/** No name of a target: those have no dots. */
const BLOBS = 'blobs.shared'
const LOOK_MS = 500
/** Layers of some gigabytes over a slow line. Nobody waits for more: what is built is published by then. */
const CACHE_TIMEOUT_S = 600
/** Each layer that gets its date is packed once more, those from a cache as well. */
const DATED = 'rewrite-timestamp=true'
/** For gzip: half the time of the builder's own 6 for a layer that is larger by a hundredth. */
const PACKED = 'compression-level=4'
/** A cache for every step, in a form that all registries take. One that can't be written never fails a build. */
const CACHE_FORM = 'mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true'
/** The words of a step whose program failed: no cache is at fault. */
const STEP_FAILED = /did not complete successfully/

/** In what form images are made: another one makes other digests of the same files. */
export function formOf({ reproducible }: Pick<BakeOptions, 'reproducible'>): string {
  return reproducible ? `${DATED},${PACKED}` : PACKED
}

/**
 * Builds the named targets in one session, each into an OCI layout of its own below the workspace. Nothing is pushed. Where a cache
 * breaks while it is read, all is built again without it. `onLayout` hears of each image as soon as it is whole, while others are still
 * being built; of some more than once.
 */
export async function bakeLayouts(
  plan: BakePlan,
  options: BakeOptions & Watched & { readonly caches: CacheSources },
  world: World,
): Promise<Baked> {
  const file = join(world.workspace, 'bake-metadata.json')
  // A folder for each attempt: an exporter adds to what is there, and somebody may be reading what the first one has made.
  let folder = join(world.workspace, 'layouts')
  const attempt = async (caches: CacheSources) => {
    await shareBlobs(folder, options.names)
    const output = (name: string) =>
      `type=oci,tar=false,dest=${join(folder, name)},${formOf(options)}`
    const args = bakeArguments(plan, { ...options, caches, output })
    const more = [`--allow=fs.write=${folder}`, '--metadata-file', file]
    const how = { args: [...args, ...more], timeoutSeconds: BUILD_TIMEOUT_S }
    const watch = watchLayouts(folder, options, world)
    const over = new AbortController()
    const signal = AbortSignal.any([world.signal, over.signal])
    const filling = options.fill(join(folder, BLOBS), { ...world, signal }).catch(() => undefined) // The builder sends what is not there.
    return await runBake(plan, how, world).finally(async () => {
      over.abort()
      await Promise.all([filling, watch.end()])
    })
  }
  let result = await attempt(options.caches)
  if (result.status !== 0 && options.caches.size > 0 && !STEP_FAILED.test(result.stderr)) {
    const { message } = explainBuild(result.stderr, plan)
    world.progress.warn(`The build is done again without the build cache: ${message}`)
    folder = `${folder}-again`
    result = await attempt(new Map())
  }
  if (result.status !== 0) throw explain(result.stderr, plan, world)
  const layouts = new Map<string, LayoutImage>()
  for (const name of options.names) {
    const layout = await readLayout(join(folder, name))
    layouts.set(name, layout)
    options.onLayout(name, layout)
  }
  const metadata = parseJson(await readFile(file, 'utf8'), 'the metadata of bake')
  return { layouts, checks: await readChecks(metadata, plan) }
}

/**
 * One store for the blobs of all layouts: what the builder has sent for one image, such as a base of several, is not sent again for the
 * next, and takes its room on the disk once.
 */
async function shareBlobs(folder: string, names: readonly string[]): Promise<void> {
  await mkdir(join(folder, BLOBS), { recursive: true })
  for (const name of names) {
    await mkdir(join(folder, name), { recursive: true })
    await symlink(join('..', BLOBS), join(folder, name, 'blobs'))
  }
}

/** The builder may have room enough where we have none to put its images. */
function explain(stderr: string, plan: BakePlan, { workspace }: World): UserError {
  const full = stderr
    .split('\n')
    .find((line) => line.includes('no space left on device') && line.includes(workspace))
  return full === undefined ? explainBuild(stderr, plan) : diskFull([full])
}

type Watched = {
  readonly names: readonly string[]
  readonly onLayout: (name: string, layout: LayoutImage) => void
  /** Puts blobs that are likely to be needed into the store of all layouts; ended with the build. */
  readonly fill: (store: string, world: World) => Promise<void>
}

/** Tells of layouts that are whole while a build goes on: their index is written last. */
function watchLayouts(
  folder: string,
  { names, onLayout }: Pick<Watched, 'names' | 'onLayout'>,
  world: World,
): { readonly end: () => Promise<void> } {
  const over = new AbortController()
  const waiting = new Set(names)
  const look = async () => {
    while (!over.signal.aborted) {
      for (const name of waiting) {
        const layout = await readLayout(join(folder, name)).catch(() => undefined) // Not there yet.
        if (layout === undefined) continue
        waiting.delete(name)
        onLayout(name, layout)
      }
      await world.clock.sleep(LOOK_MS, over.signal).catch(() => undefined) // The build is over.
    }
  }
  const looking = look()
  return {
    end: async () => {
      over.abort()
      await looking
    },
  }
}

/** Keeps the layers of what was just built, one platform after the other. Never fails: what can't be kept is said. */
export async function bakeCaches(
  plan: BakePlan,
  options: BakeOptions & {
    readonly places: readonly CachePlace[]
    readonly caches: CacheSources
  },
  world: World,
): Promise<void> {
  const { places } = options
  for (const platform of new Set(places.map((place) => place.platform))) {
    const here = places.filter((place) => place.platform === platform)
    const args = bakeArguments(plan, {
      ...options,
      platforms: platform.includes('/') ? [platform] : options.platforms,
      names: here.map(({ name }) => name),
      output: () => 'type=cacheonly',
    })
    const to = here.flatMap(({ name, reference }) => [
      '--set',
      `${name}.cache-to=type=registry,ref=${reference},${CACHE_FORM},${PACKED}`,
    ])
    const how = { args: [...args, ...to], timeoutSeconds: CACHE_TIMEOUT_S }
    const fault = await runBake(plan, how, world).then(cacheFault, messageOf)
    world.signal.throwIfAborted()
    if (fault !== undefined) {
      world.progress.warn(
        `The build cache was not written, so that a later build takes longer: ${fault}`,
      )
      return
    }
  }
}

/** With ignore-error the builder only mentions what went wrong. */
function cacheFault({ status, stderr }: ProgramResult): string | undefined {
  const error = /^(?:#\d+ )?(?:ERROR|error)[: ]+(.*)$/m.exec(stderr)?.[1]
  return status === 0 ? error : (error ?? `buildx ended with status ${status}`)
}

async function runBake(
  plan: BakePlan,
  how: { readonly args: readonly string[]; readonly timeoutSeconds: number },
  world: World,
): Promise<ProgramResult> {
  const buildx = await world.tools('buildx')
  return await world.run(
    {
      argv: [buildx, ...how.args],
      cwd: plan.folder,
      env: { ...process.env, ...CHECKS_IN_METADATA },
      timeoutSeconds: how.timeoutSeconds,
      onLine: followBuild(world.progress.say),
    },
    world.signal,
  )
}

/** The arguments of `buildx` (pure, so that a test can read them). */
export function bakeArguments(
  plan: BakePlan,
  options: Omit<BakeOptions, 'reproducible'> & {
    readonly names: readonly string[]
    readonly output: (name: string) => string
    readonly caches?: CacheSources
  },
): readonly string[] {
  const { builder, platforms, names, output, caches } = options
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
      ...(caches?.get(name) ?? []).flatMap((reference) =>
        set(name, 'cache-from', `type=registry,ref=${reference}`),
      ),
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
