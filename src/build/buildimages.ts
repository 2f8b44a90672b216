import { counted } from '../counted.ts'
import { openRepository } from '../registry/client.ts'
import { parseReference } from '../registry/reference.ts'
import type { Files } from '../release/archive.ts'
import type { ImageSet } from '../release/imageset.ts'
import type { Release } from '../release/release.ts'
import { type Judgement, stoppedBy } from '../scan/judgement.ts'
import type { ScanPolicy } from '../scan/policy.ts'
import { type Database, openDatabase, type Scan } from '../scan/scanner.ts'
import type { VexStatement } from '../scan/vex.ts'
import type { Signer } from '../signing/signer.ts'
import type { World } from '../world.ts'
import { bakeCaches, type BakeOptions } from './bake.ts'
import { readBakePlan, requireImageNames } from './bakeplan.ts'
import { lookAtBases } from './basefacts.ts'
import { type BaseOfImage, compareBases } from './basefixes.ts'
import type { CacheOptions } from './cache.ts'
import type { DockerfileCheck } from './checks.ts'
import { type EarlierImage, readEarlier } from './earlier.ts'
import { makeImages } from './images.ts'
import { type ImageOrigins, readOrigins } from './origins.ts'
import type { BuildRun } from './provenance.ts'
import { publish } from './publication.ts'
import { judgeAll, openScans } from './scans.ts'
import { surveyTargets } from './survey.ts'

export type BuildOptions = BakeOptions & {
  readonly file: string
  readonly folder: string
  readonly targets: readonly string[]
  /** `host/path`: images go to `<registry>/<target>`, releases to `<registry>/release`. */
  readonly registry: string
  readonly push: boolean
  readonly cache: CacheOptions
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
  /** Undefined: nothing is signed, and nothing that was built before is used again. */
  readonly signer: Signer | undefined
  readonly run: Pick<BuildRun, 'builder' | 'run' | 'source'>
}

export type BuildResult = {
  /** `stopped`: a finding that the policy does not allow, so that nothing was published. */
  readonly outcome: 'published' | 'built' | 'stopped'
  readonly images: ImageSet
  /** Names of those that were built in this run; the others were there. */
  readonly built: readonly string[]
  /** Image name → why it was built, or that it was not. */
  readonly why: Readonly<Record<string, string>>
  readonly checks: readonly DockerfileCheck[]
  readonly scans: readonly Scan[]
  readonly judgement: Judgement
  readonly database: Database
  /** Image name → the images it is built on. */
  readonly bases: ReadonlyMap<string, readonly BaseOfImage[]>
  /** What the images were before; those that are new are not in it. */
  readonly earlier: ReadonlyMap<string, EarlierImage>
  /** Image name → what is known about where its packages come in. */
  readonly origins: ReadonlyMap<string, ImageOrigins>
  /** Absent where nothing was published. */
  readonly release?: Release
}

/**
 * Builds what changed, scans, judges, and only then publishes: the bytes that were scanned, by digest, the release and the tags last.
 * Throws `UserError` with nothing published where an image does not build or can't be scanned.
 */
export async function buildImages(options: BuildOptions, world: World): Promise<BuildResult> {
  const over = new AbortController()
  // What is done beside the build and the publishing ends with them, however they end.
  const beside = { ...world, signal: AbortSignal.any([world.signal, over.signal]) }
  try {
    return await build(options, { world, beside })
  } finally {
    over.abort()
  }
}

async function build(
  options: BuildOptions,
  { world, beside }: { readonly world: World; readonly beside: World },
): Promise<BuildResult> {
  const { progress } = world
  const started = world.clock.now()
  const place = parseReference(`${options.registry}/release`)
  const plan = await progress.step('Read the bake file', () => readBakePlan(options, world))
  requireImageNames(plan, options.registry)
  if (options.push) await progress.step('Reach the registry', () => reachRegistry(place, world))
  // The database is not waited for while there is something to build.
  const opening = openDatabase(options.vulnerabilityDatabase, options.policy.database, world)
  opening.catch(() => undefined)
  const survey = await progress.step('Compare with what was built before', () =>
    surveyTargets(plan, options, world),
  )
  const facts = lookAtBases(survey, beside)
  const scanning = openScans({ database: opening, cacheFolder: options.scanCache }, beside)
  const made = await makeImages(plan, { ...options, survey, scans: scanning }, world)
  const before = readEarlier(made.set, options, world)
  before.catch(() => undefined)
  const database = await opening
  const names = Object.keys(made.set.images)
  const scans = await progress.step(`Scan ${counted(names.length, 'image')}`, () => scanning.all())
  // Before the tags move: afterwards the newest image is this one.
  const earlier = await before
  const judgement = await judgeAll(scans, { ...options, database }, world)
  const isStopped = stoppedBy(judgement).length > 0
  const isPublished = options.push && !isStopped
  const by = { database, cacheFolder: options.scanCache }
  // Neither is waited for before the release is there, and neither can fail.
  const compared = facts.then((found) => compareBases({ survey, facts: found, scans }, by, beside))
  const kept = isPublished ? bakeCaches(plan, { ...options, ...made }, beside) : undefined
  for (const one of [compared, kept]) one?.catch(() => undefined)
  const what = { made, survey, scans, database, started, place }
  const release = isPublished ? await publish(what, options, world) : undefined
  const bases = await progress.step('Look at the base images', () => compared)
  if (kept !== undefined && made.places.length > 0)
    await progress.step('Keep the layers for later builds', () => kept)
  const { set: images, why, checks } = made
  const origins = await readOrigins(scans, plan)
  const built = names.filter((name) => !made.reused.has(name))
  const found = { images, built, why, checks, scans, judgement, database, bases, earlier, origins }
  if (release !== undefined) return { outcome: 'published', ...found, release }
  return { outcome: isStopped ? 'stopped' : 'built', ...found }
}

/** A registry that does not answer is found out before minutes of building. */
async function reachRegistry(
  place: { readonly registry: string; readonly repository: string },
  world: World,
): Promise<void> {
  await openRepository(place, world.signal).getManifest('latest')
}
