import { counted } from '../counted.ts'
import type { LayoutImage } from '../registry/layout.ts'
import type { PlatformImage } from '../registry/platforms.ts'
import { formatReference, parseReference } from '../registry/reference.ts'
import type { ImageSet, LockedImage } from '../release/imageset.ts'
import type { Signer } from '../signing/signer.ts'
import type { World } from '../world.ts'
import { bakeLayouts, type BakeOptions } from './bake.ts'
import type { BakePlan } from './bakeplan.ts'
import { fetchSbom } from './baseline.ts'
import {
  type CacheOptions,
  type CachePlace,
  cachePlaces,
  type CacheSources,
  findCaches,
} from './cache.ts'
import type { DockerfileCheck } from './checks.ts'
import { fetchEarlierLayers } from './earlierlayers.ts'
import type { KeyOfTarget } from './inputkey.ts'
import { findReusable } from './reuse.ts'
import type { Scans } from './scans.ts'
import type { Survey } from './survey.ts'

/** The images of a run: built, or used again. Nothing of them is published by this. */
export type Images = {
  readonly set: ImageSet
  /** Names of those that were built before, from the same inputs. */
  readonly reused: ReadonlySet<string>
  /** The bytes of those that were built. */
  readonly layouts: ReadonlyMap<string, LayoutImage>
  readonly why: Readonly<Record<string, string>>
  /** Of the Dockerfiles that were built. */
  readonly checks: readonly DockerfileCheck[]
  /** Where the layers came from that were not built, and where those of the built images are to be kept. */
  readonly caches: CacheSources
  readonly places: readonly CachePlace[]
}

export type ImageOptions = BakeOptions & {
  readonly registry: string
  readonly cache: CacheOptions
  readonly scanCache: string
  readonly signer: Signer | undefined
  readonly scans: Pick<Scans, 'begin' | 'expect'>
}

type Stored = { readonly digest: string; readonly size: number }
type Reused = Stored & { readonly platforms: readonly PlatformImage[] }

/** Builds the images whose inputs changed, in one session, and finds the others in the registry. Their scans begin beside that. */
export async function makeImages(
  plan: BakePlan,
  options: ImageOptions & { readonly survey: Survey },
  world: World,
): Promise<Images> {
  const { progress } = world
  const { keys } = options.survey
  const { reused, why } = await findAll(plan, { ...options, keys }, world)
  for (const [name, reason] of Object.entries(why)) progress.say(`${name}: ${reason}`)
  const { scans } = options
  for (const [name, { digest, platforms }] of reused) scans.begin({ name, digest, platforms })
  const targets = plan.targets.filter(({ name }) => !reused.has(name))
  const names = targets.map(({ name }) => name)
  const where = { cache: options.cache, platformsOf: options.survey.platformsOf }
  if (names.length > 0) scans.expect(names.length)
  const { sources: caches, answers } = await findCaches(targets, where, world)
  const onLayout = (name: string, layout: LayoutImage) => {
    scans.begin({ name, digest: layout.root.digest, layout })
  }
  const fill = async (store: string, beside: World) => {
    if (options.cache !== 'none') await fetchEarlierLayers(names, { ...options, store }, beside)
  }
  const { layouts, checks } =
    names.length === 0
      ? { layouts: new Map<string, LayoutImage>(), checks: [] }
      : await progress.step(`Build ${counted(names.length, 'image')}`, () =>
          bakeLayouts(plan, { ...options, names, caches, onLayout, fill }, world),
        )
  for (const { message, ...place } of checks) progress.warn(message, place)
  const set = lockImages(reused, layouts, options.registry)
  const places = answers ? cachePlaces(targets, where) : []
  return { set, reused: new Set(reused.keys()), layouts, why, checks, caches, places }
}

async function findAll(
  plan: BakePlan,
  options: ImageOptions & { readonly keys: ReadonlyMap<string, KeyOfTarget> },
  world: World,
): Promise<{
  readonly reused: ReadonlyMap<string, Reused>
  readonly why: Readonly<Record<string, string>>
}> {
  const reused = new Map<string, Reused>()
  const why: Record<string, string> = {}
  await Promise.all(
    plan.targets.map(async ({ name }) => {
      const reference = `${options.registry}/${name}`
      const key = options.keys.get(name) ?? { doubts: ['it has no key'] }
      const found = await findReusable(key, { reference, trust: options.signer?.trust }, world)
      if (found.kind === 'build') {
        why[name] = `built, since ${found.why}`
        return
      }
      const { digest, size, platforms } = found
      const fetched = await Promise.all(
        platforms.map(({ root, sbom }) => {
          const where = { cacheFolder: options.scanCache, expected: sbom }
          return fetchSbom(`${reference}@${root.digest}`, where, world)
        }),
      )
      const isKnown = fetched.every((one) => one)
      if (isKnown) reused.set(name, { digest, size, platforms })
      why[name] = isKnown ? 'unchanged' : 'built, since its SBOM is not in the registry'
    }),
  )
  const sorted = Object.entries(why).sort(([a], [b]) => (a < b ? -1 : 1))
  return { reused, why: Object.fromEntries(sorted) }
}

function lockImages(
  known: ReadonlyMap<string, Stored>,
  layouts: ReadonlyMap<string, LayoutImage>,
  registry: string,
): ImageSet {
  const images: Record<string, LockedImage> = {}
  const lock = (name: string, { digest, size }: Stored) => {
    const place = parseReference(`${registry}/${name}`)
    images[name] = { reference: formatReference({ ...place, digest }), digest, size }
  }
  for (const [name, stored] of known) lock(name, stored)
  for (const [name, { root, size }] of layouts) lock(name, { digest: root.digest, size })
  return { version: 1, images }
}
