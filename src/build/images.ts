import { openRepository } from '../registry/client.ts'
import { type LayoutImage, storedSize } from '../registry/layout.ts'
import { formatReference, parseReference } from '../registry/reference.ts'
import type { ImageSet, LockedImage } from '../release/imageset.ts'
import { hasSbom } from '../scan/scanner.ts'
import type { Signer } from '../signing/signer.ts'
import type { World } from '../world.ts'
import { bakeDigests, type BakeOptions, exportLayouts } from './bake.ts'
import type { BakePlan } from './bakeplan.ts'
import { fetchSbom } from './baseline.ts'
import type { DockerfileCheck } from './checks.ts'
import type { KeyOfTarget } from './inputkey.ts'
import { findReusable, keysOf } from './reuse.ts'

/** The images of a run: built, or used again. Nothing of them is published by this. */
export type Images = {
  readonly set: ImageSet
  /** Names of those that were built before, from the same inputs. */
  readonly reused: ReadonlySet<string>
  /** The bytes of those that the registry does not have, or that were never scanned. */
  readonly layouts: ReadonlyMap<string, LayoutImage>
  readonly keys: ReadonlyMap<string, KeyOfTarget>
  readonly why: Readonly<Record<string, string>>
  /** Of the Dockerfiles that were built. */
  readonly checks: readonly DockerfileCheck[]
}

export type ImageOptions = BakeOptions & {
  readonly registry: string
  readonly push: boolean
  readonly scanCache: string
  readonly signer: Signer | undefined
}

type Stored = { readonly digest: string; readonly size: number }

/** Builds the images whose inputs changed, in one session, and finds the others in the registry. */
export async function makeImages(
  plan: BakePlan,
  options: ImageOptions,
  world: World,
): Promise<Images> {
  const { progress } = world
  const keys = await progress.step('Compare with what was built before', () =>
    keysOf(plan, options, world),
  )
  const { reused, why } = await findAll(plan, { ...options, keys }, world)
  for (const [name, reason] of Object.entries(why)) progress.say(`${name}: ${reason}`)
  const toBuild = plan.targets.map(({ name }) => name).filter((name) => !reused.has(name))
  const { digests, checks } =
    toBuild.length === 0
      ? { digests: new Map<string, string>(), checks: [] }
      : await progress.step(`Build ${toBuild.length} images`, () =>
          bakeDigests(plan, { ...options, names: toBuild }, world),
        )
  for (const { message, ...place } of checks) progress.warn(message, place)
  const known = await knownImages(digests, options, world)
  const names = [...digests.keys()].filter((name) => !known.has(name))
  const layouts =
    names.length === 0
      ? new Map<string, LayoutImage>()
      : await progress.step(`Fetch ${names.length} images that are new`, () =>
          exportLayouts(plan, { ...options, names }, world),
        )
  const set = lockImages(new Map([...reused, ...known]), layouts, options.registry)
  return { set, reused: new Set(reused.keys()), layouts, keys, why, checks }
}

async function findAll(
  plan: BakePlan,
  options: ImageOptions & { readonly keys: ReadonlyMap<string, KeyOfTarget> },
  world: World,
): Promise<{
  readonly reused: ReadonlyMap<string, Stored>
  readonly why: Readonly<Record<string, string>>
}> {
  const reused = new Map<string, Stored>()
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
      const { digest, size, sbom } = found
      const where = { cacheFolder: options.scanCache, expected: sbom }
      const isKnown = await fetchSbom(`${reference}@${digest}`, where, world)
      if (isKnown) reused.set(name, { digest, size })
      why[name] = isKnown ? 'unchanged' : 'built, since its SBOM is not in the registry'
    }),
  )
  const sorted = Object.entries(why).sort(([a], [b]) => (a < b ? -1 : 1))
  return { reused, why: Object.fromEntries(sorted) }
}

/** Built images whose bytes are in the registry and whose SBOM is here: nothing of them has to be moved. */
async function knownImages(
  digests: ReadonlyMap<string, string>,
  options: ImageOptions,
  world: World,
): Promise<ReadonlyMap<string, Stored>> {
  const known = new Map<string, Stored>()
  if (!options.push) return known
  for (const [name, digest] of digests) {
    if (!(await hasSbom(digest, options.scanCache))) continue
    const place = parseReference(`${options.registry}/${name}`)
    const size = await storedSize(digest, openRepository(place, world.signal))
    if (size !== undefined) known.set(name, { digest, size })
  }
  return known
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
