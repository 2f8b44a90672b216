import { prepareRelease, type Release } from '../release/release.ts'
import type { Files } from '../release/archive.ts'
import type { Database, Scan } from '../scan/scanner.ts'
import { verifyCommand } from '../signing/howtoverify.ts'
import type { Signer } from '../signing/signer.ts'
import type { World } from '../world.ts'
import { vouchForImage, vouchForRelease } from './attest.ts'
import type { Images } from './images.ts'
import type { BuildRun } from './provenance.ts'
import { keepSboms, publishImages, releaseTag, type StoredImage, tagImages } from './publish.ts'
import type { Survey } from './survey.ts'

/** What passed: the images with their scans, and where their release goes. */
export type Passed = {
  readonly made: Images
  readonly survey: Survey
  readonly scans: readonly Scan[]
  readonly database: Database
  readonly started: Date
  readonly place: { readonly registry: string; readonly repository: string }
}

/** The step that makes the release: before it nothing can be found, after it everything. */
export const RELEASE_STEP = 'Publish the release'

type Options = {
  readonly file: string
  readonly manifests: Files
  readonly revision: string
  readonly signer: Signer | undefined
  readonly run: Pick<BuildRun, 'builder' | 'run' | 'source'>
}

/**
 * Images by digest, what is signed about them and about the release, and then the release, by one request: a run that ends before it,
 * for whatever reason, has published no release and no tag of an image, and whoever finds the release finds all of it. The tags of the
 * images are written last.
 */
export async function publish(passed: Passed, options: Options, world: World): Promise<Release> {
  const { made, survey, scans, place } = passed
  const stored = await world.progress.step('Publish the images', () =>
    publishImages({ images: made.set, layouts: made.layouts, scans }, world),
  )
  const content = { ...options, images: made.set }
  const { release, appear } = await prepareRelease(content, place, world.signal)
  const { signer } = options
  const isNew = ({ name }: StoredImage) => !made.reused.has(name)
  // All at once: who writes beside the same image writes its list of referrers once. The SBOMs of the others came from there.
  await world.progress.step(signer === undefined ? 'Keep the SBOMs' : 'Sign', () =>
    Promise.all([
      ...stored.filter(isNew).map((image) => keepSboms(image, world)),
      signer && sign({ stored, release }, { ...passed, ...options, signer }, world),
    ]),
  )
  await world.progress.step(RELEASE_STEP, () => appear(releaseTag(release)))
  await world.progress.step('Tag the images', () => tagImages(release, survey.keys, world.signal))
  if (signer !== undefined)
    world.progress.say(
      `verify it with: ${verifyCommand(release.reference, 'release', signer.trust)}`,
    )
  return release
}

async function sign(
  what: { readonly stored: readonly StoredImage[]; readonly release: Release },
  by: Passed & Options & { readonly signer: Signer },
  world: World,
): Promise<void> {
  const { signer, database, made, survey, started, revision } = by
  const run = { ...by.run, revision, started, finished: world.clock.now() }
  await Promise.all([
    vouchForRelease(what.release, { signer, run }, world),
    ...what.stored.map(async (image) => {
      const key = survey.keys.get(image.name) ?? { doubts: ['it has no key'] }
      const isNew = !made.reused.has(image.name)
      await vouchForImage(
        { ...image, bakeFile: by.file, key, isNew },
        { signer, run, database },
        world,
      )
    }),
  ])
}
