import { isTimeout, messageOf } from '../errors.ts'
import { listAt, textAt, parseJson } from '../json.ts'
import { openRepository } from '../registry/client.ts'
import { parseReference } from '../registry/reference.ts'
import { openSession } from '../registry/session.ts'
import type { World } from '../world.ts'
import type { BakeTarget } from './bakeplan.ts'
import { type Branches, cacheTag, readableBranches, writableBranch } from './cachetag.ts'

/** Layers kept in a registry between runs and machines, or none but the builder's own. */
export type CacheOptions = { readonly repository: string; readonly branches: Branches } | 'none'

/** Image name → references of caches that are there, nearest branch first. */
export type CacheSources = ReadonlyMap<string, readonly string[]>

/** Image name and platform → where its layers are to be kept. */
export type CachePlace = {
  readonly name: string
  readonly platform: string
  readonly reference: string
}

/** A cache saves time; one that does not answer soon only costs some. */
const LOOK_S = 10
/** The configuration of a manifest that BuildKit wrote as a cache. Anything else under the tag is not asked of the builder. */
const CACHE_TYPE = 'application/vnd.buildkit.cacheconfig.v0'

/**
 * Finds the caches of these images that are there. Only those are named to the builder, which would wait for what does not answer.
 * Never fails: what can't be read is said, and the build goes on without it. A registry that does not answer gets nothing to keep.
 */
export async function findCaches(
  targets: readonly BakeTarget[],
  where: {
    readonly cache: CacheOptions
    readonly platformsOf: (target: BakeTarget) => readonly string[]
  },
  world: World,
): Promise<{ readonly sources: CacheSources; readonly answers: boolean }> {
  const { cache, platformsOf } = where
  if (cache === 'none') return { sources: new Map(), answers: false }
  const signal = AbortSignal.any([world.signal, AbortSignal.timeout(LOOK_S * 1000)])
  openSession({ patience: { attempts: 1 } }, signal)
  const doubts = new Set<string>()
  const look = async (tag: string): Promise<readonly string[]> => {
    const reference = `${cache.repository}:${tag}`
    try {
      return (await isCache(reference, signal)) ? [reference] : []
    } catch (error) {
      world.signal.throwIfAborted()
      doubts.add(isTimeout(error) ? `no answer within ${LOOK_S} s` : messageOf(error))
      return []
    }
  }
  const branches = readableBranches(cache.branches)
  const found = await Promise.all(
    targets.filter(hasNoOwnCache).map(async (target): Promise<[string, readonly string[]]> => {
      const tags = branches.flatMap((branch) =>
        platformsOf(target).map((platform) => cacheTag({ target: target.name, platform, branch })),
      )
      return [target.name, (await Promise.all(tags.map(look))).flat()]
    }),
  )
  const [doubt] = doubts
  if (doubt !== undefined)
    world.progress.warn(`The build cache can't be read, so that all is built: ${doubt}`)
  const sources = new Map(found.filter(([, references]) => references.length > 0))
  return { sources, answers: doubt === undefined }
}

/** Where the layers of these images are to be kept after the build; nothing where this run may not write. */
export function cachePlaces(
  targets: readonly BakeTarget[],
  where: {
    readonly cache: CacheOptions
    readonly platformsOf: (target: BakeTarget) => readonly string[]
  },
): readonly CachePlace[] {
  const { cache, platformsOf } = where
  const branch = cache === 'none' ? undefined : writableBranch(cache.branches)
  if (cache === 'none' || branch === undefined) return []
  return targets.filter(hasNoOwnCache).flatMap((target) =>
    platformsOf(target).map((platform) => {
      const tag = cacheTag({ target: target.name, platform, branch })
      return { name: target.name, platform, reference: `${cache.repository}:${tag}` }
    }),
  )
}

/** A target whose bake file says where its layers are kept is left as it is. */
function hasNoOwnCache({ resolved }: BakeTarget): boolean {
  return resolved['cache-from'] === undefined && resolved['cache-to'] === undefined
}

async function isCache(reference: string, signal: AbortSignal): Promise<boolean> {
  const place = parseReference(reference)
  const manifest = await openRepository(place, signal).getManifest(place.tag ?? '')
  if (manifest === undefined) return false
  const content = parseJson(manifest.bytes.toString(), reference)
  return (
    textAt(content, 'config', 'mediaType') === CACHE_TYPE ||
    listAt(content, 'manifests').some((one) => textAt(one, 'mediaType') === CACHE_TYPE)
  )
}
