import { openRepository } from '../registry/client.ts'
import { type LayoutImage, storedSize } from '../registry/layout.ts'
import { formatReference, parseReference } from '../registry/reference.ts'
import type { Files } from '../release/archive.ts'
import type { ImageSet, LockedImage } from '../release/imageset.ts'
import { publishRelease, type Release } from '../release/release.ts'
import { judge, type Judgement, stoppedBy } from '../scan/judgement.ts'
import type { ScanPolicy } from '../scan/policy.ts'
import { type Database, hasSbom, openDatabase, type Scan, scanImage } from '../scan/scanner.ts'
import type { VexStatement } from '../scan/vex.ts'
import type { World } from '../world.ts'
import { bakeDigests, type BakeOptions, exportLayouts } from './bake.ts'
import { readBakePlan } from './bakeplan.ts'
import { readBaseline } from './baseline.ts'
import { publishImages, writeTags } from './publish.ts'

export type BuildOptions = BakeOptions & {
  readonly file: string
  readonly folder: string
  readonly targets: readonly string[]
  /** `host/path`: images go to `<registry>/<target>`, releases to `<registry>/release`. */
  readonly registry: string
  readonly push: boolean
  readonly policy: ScanPolicy
  readonly vex: readonly VexStatement[]
  /** The release whose findings are not new, or empty. */
  readonly baseline: string
  /** grype's database folder, or empty for the public one. */
  readonly vulnerabilityDatabase: string
  readonly manifests: Files
  readonly revision: string
  /** Where SBOMs and scans of known bytes are kept between runs. */
  readonly scanCache: string
}

export type BuildResult = {
  /** `stopped`: a finding that the policy does not allow, so that nothing was published. */
  readonly outcome: 'published' | 'built' | 'stopped'
  readonly images: ImageSet
  readonly scans: readonly Scan[]
  readonly judgement: Judgement
  readonly database: Database
  /** Absent where nothing was published. */
  readonly release?: Release
}

/** Two scanners at a time: each takes some hundred megabytes. */
const SCANS_AT_ONCE = 2

/**
 * Builds, scans, judges, and only then publishes: the bytes that were scanned, by digest, the release last.
 * Throws `UserError` with nothing published where an image does not build or can't be scanned.
 */
export async function buildImages(options: BuildOptions, world: World): Promise<BuildResult> {
  const { progress } = world
  const place = parseReference(`${options.registry}/release`)
  const plan = await progress.step('Read the bake file', () => readBakePlan(options, world))
  if (options.push) await progress.step('Reach the registry', () => reachRegistry(place, world))
  const digests = await progress.step(`Build ${plan.targets.length} images`, () =>
    bakeDigests(plan, options, world),
  )
  const known = await knownImages(digests, options, world)
  const names = [...digests.keys()].filter((name) => !known.has(name))
  const layouts = await progress.step(`Fetch ${names.length} images that are new`, () =>
    exportLayouts(plan, { ...options, names }, world),
  )
  const database = await openDatabase(options.vulnerabilityDatabase, options.policy.database, world)
  const images = lockImages({ known, layouts }, options.registry)
  const scans = await progress.step(`Scan ${digests.size} images`, () =>
    scanAll({ images, layouts, database, cacheFolder: options.scanCache }, world),
  )
  const judgement = await judgeAll(scans, { options, database }, world)
  const found = { images, scans, judgement, database }
  if (stoppedBy(judgement).length > 0) return { outcome: 'stopped', ...found }
  if (!options.push) return { outcome: 'built', ...found }
  await progress.step('Publish the images', () => publishImages({ images, layouts, scans }, world))
  const release = await progress.step('Publish the release', async () => {
    const published = await publishRelease({ ...options, images }, place, world.signal)
    await writeTags(published, world.signal)
    return published
  })
  return { outcome: 'published', ...found, release }
}

/** A registry that does not answer is found out before minutes of building. */
async function reachRegistry(
  place: { readonly registry: string; readonly repository: string },
  world: World,
): Promise<void> {
  await openRepository(place, world.signal).getManifest('latest')
}

/** Images whose bytes are in the registry and whose SBOM is here: nothing of them has to be moved. Their sizes in bytes. */
async function knownImages(
  digests: ReadonlyMap<string, string>,
  options: BuildOptions,
  world: World,
): Promise<ReadonlyMap<string, { readonly digest: string; readonly size: number }>> {
  const known = new Map<string, { readonly digest: string; readonly size: number }>()
  if (!options.push) return known
  for (const [name, digest] of digests) {
    if (!(await hasSbom(digest, options.scanCache))) continue
    const place = parseReference(`${options.registry}/${name}`)
    const size = await storedSize(digest, openRepository(place, world.signal))
    if (size !== undefined) known.set(name, { digest, size })
  }
  return known
}

async function scanAll(
  what: {
    readonly images: ImageSet
    readonly layouts: ReadonlyMap<string, LayoutImage>
    readonly database: Database
    readonly cacheFolder: string
  },
  world: World,
): Promise<readonly Scan[]> {
  const { layouts, database, cacheFolder } = what
  const waiting = Object.entries(what.images.images)
  const scans: Scan[] = []
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, { digest }] = next
      const target = { name, digest, layout: layouts.get(name), cacheFolder }
      const scan = await scanImage(target, database, world)
      world.progress.say(
        `${name}: ${scan.findings.length} findings${scan.cached ? ' (known bytes)' : ''}`,
      )
      scans.push(scan)
    }
  }
  await Promise.all(Array.from({ length: SCANS_AT_ONCE }, work))
  return scans.sort((a, b) => (a.image < b.image ? -1 : 1))
}

async function judgeAll(
  scans: readonly Scan[],
  by: { readonly options: BuildOptions; readonly database: Database },
  world: World,
): Promise<Judgement> {
  const { policy, vex, baseline: release, scanCache: cacheFolder } = by.options
  const look = () => readBaseline(release, { database: by.database, cacheFolder }, world)
  const baseline =
    release === '' ? undefined : await world.progress.step('Look at what the baseline has', look)
  const judgement = judge(scans, policy, { vex, baseline })
  for (const note of judgement.notes) world.progress.warn(note)
  return judgement
}

function lockImages(
  found: {
    readonly known: ReadonlyMap<string, { readonly digest: string; readonly size: number }>
    readonly layouts: ReadonlyMap<string, LayoutImage>
  },
  registry: string,
): ImageSet {
  const images: Record<string, LockedImage> = {}
  const lock = (name: string, digest: string, size: number) => {
    const place = parseReference(`${registry}/${name}`)
    images[name] = { reference: formatReference({ ...place, digest }), digest, size }
  }
  for (const [name, { digest, size }] of found.known) lock(name, digest, size)
  for (const [name, layout] of found.layouts) lock(name, layout.root.digest, layout.size)
  return { version: 1, images }
}
