import { openRepository } from '../registry/client.ts'
import { parseReference } from '../registry/reference.ts'
import type { Files } from '../release/archive.ts'
import type { ImageSet } from '../release/imageset.ts'
import { publishRelease, type Release } from '../release/release.ts'
import { type Judgement, stoppedBy } from '../scan/judgement.ts'
import type { ScanPolicy } from '../scan/policy.ts'
import { type Database, openDatabase, type Scan } from '../scan/scanner.ts'
import type { VexStatement } from '../scan/vex.ts'
import type { Signer } from '../signing/signer.ts'
import type { World } from '../world.ts'
import { vouchForImage, vouchForRelease } from './attest.ts'
import type { BakeOptions } from './bake.ts'
import { readBakePlan } from './bakeplan.ts'
import type { DockerfileCheck } from './checks.ts'
import { type Images, makeImages } from './images.ts'
import type { BuildRun } from './provenance.ts'
import { publishImages, writeTags } from './publish.ts'
import { judgeAll, scanAll } from './scans.ts'

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
  /** Undefined: nothing is signed, and nothing that was built before is used again. */
  readonly signer: Signer | undefined
  readonly run: Pick<BuildRun, 'builder' | 'run' | 'source'>
}

export type BuildResult = {
  /** `stopped`: a finding that the policy does not allow, so that nothing was published. */
  readonly outcome: 'published' | 'built' | 'stopped'
  readonly images: ImageSet
  /** Image name → why it was built, or that it was not. */
  readonly why: Readonly<Record<string, string>>
  readonly checks: readonly DockerfileCheck[]
  readonly scans: readonly Scan[]
  readonly judgement: Judgement
  readonly database: Database
  /** Absent where nothing was published. */
  readonly release?: Release
}

/**
 * Builds what changed, scans, judges, and only then publishes: the bytes that were scanned, by digest, the release and the tags last.
 * Throws `UserError` with nothing published where an image does not build or can't be scanned.
 */
export async function buildImages(options: BuildOptions, world: World): Promise<BuildResult> {
  const { progress } = world
  const started = world.clock.now()
  const place = parseReference(`${options.registry}/release`)
  const plan = await progress.step('Read the bake file', () => readBakePlan(options, world))
  if (options.push) await progress.step('Reach the registry', () => reachRegistry(place, world))
  // The database is not waited for while there is something to build.
  const opening = openDatabase(options.vulnerabilityDatabase, options.policy.database, world)
  opening.catch(() => undefined)
  const made = await makeImages(plan, options, world)
  const database = await opening
  const names = Object.keys(made.set.images)
  const scans = await progress.step(`Scan ${names.length} images`, () =>
    scanAll({ ...made, database, cacheFolder: options.scanCache }, world),
  )
  const judgement = await judgeAll(scans, { ...options, database }, world)
  const found = { images: made.set, why: made.why, checks: made.checks, scans, judgement, database }
  if (stoppedBy(judgement).length > 0) return { outcome: 'stopped', ...found }
  if (!options.push) return { outcome: 'built', ...found }
  const release = await publish({ made, scans, database, started, place }, options, world)
  return { outcome: 'published', ...found, release }
}

/** Images, then the release, then what is signed about them, then the tags: a tag never leads to something half-done. */
async function publish(
  what: {
    readonly made: Images
    readonly scans: readonly Scan[]
    readonly database: Database
    readonly started: Date
    readonly place: { readonly registry: string; readonly repository: string }
  },
  options: BuildOptions,
  world: World,
): Promise<Release> {
  const { made, scans, database, started, place } = what
  const { signer, revision } = options
  await world.progress.step('Publish the images', () =>
    publishImages({ images: made.set, layouts: made.layouts, scans }, world),
  )
  const release = await world.progress.step('Publish the release', () =>
    publishRelease({ ...options, images: made.set }, place, world.signal),
  )
  const run = { ...options.run, revision, started, finished: world.clock.now() }
  if (signer !== undefined)
    await world.progress.step('Sign', async () => {
      const by = { signer, run, database }
      await Promise.all(
        scans.map(async (scan) => {
          const { image: name } = scan
          const reference = made.set.images[name]?.reference ?? ''
          const key = made.keys.get(name) ?? { doubts: ['it has no key'] }
          const isNew = !made.reused.has(name)
          const vouched = { name, reference, bakeFile: options.file, key, scan, isNew }
          await vouchForImage(vouched, by, world)
        }),
      )
      await vouchForRelease(release, by, world)
    })
  await world.progress.step('Tag', () => writeTags(release, made.keys, world.signal))
  return release
}

/** A registry that does not answer is found out before minutes of building. */
async function reachRegistry(
  place: { readonly registry: string; readonly repository: string },
  world: World,
): Promise<void> {
  await openRepository(place, world.signal).getManifest('latest')
}
