import { messageOf } from '../errors.ts'
import { openRepository } from '../registry/client.ts'
import { storedSize } from '../registry/layout.ts'
import { parseReference } from '../registry/reference.ts'
import type { ImageSet } from '../release/imageset.ts'
import { pullRelease } from '../release/release.ts'
import type { Signer } from '../signing/signer.ts'
import type { World } from '../world.ts'
import { NEWEST_TAG } from './reuse.ts'

/** An image as it was before this run. */
export type EarlierImage = {
  readonly digest: string
  readonly size: number
  /** `baseline`: in the release that this one is compared with; `newest`: as it was published last. */
  readonly of: 'baseline' | 'newest'
}

type Asked = {
  /** A release by digest, or empty. */
  readonly baseline: string
  readonly push: boolean
  readonly signer: Signer | undefined
}

/**
 * What the images of `set` were before: those of the baseline, else those that were published last. An image that is new, or about
 * which the registry does not answer, is left out. Fails only when the run is cancelled: it is for people to look at.
 */
export async function readEarlier(
  set: ImageSet,
  { baseline, push, signer }: Asked,
  world: World,
): Promise<ReadonlyMap<string, EarlierImage>> {
  const known = new Map<string, EarlierImage>()
  // A run that neither publishes nor uses anything again needs no registry.
  if (!push && signer === undefined && baseline === '') return known
  try {
    const of = baseline === '' ? undefined : await pullRelease(baseline, world.signal)
    const all = await Promise.all(
      Object.entries(set.images).map(async ([name, image]) => {
        const before = of?.images.images[name]
        if (before === undefined) return [name, await newestOf(image, world)] as const
        return [name, { digest: before.digest, size: before.size, of: 'baseline' }] as const
      }),
    )
    for (const [name, found] of all) if (found !== undefined) known.set(name, found)
  } catch (error) {
    world.signal.throwIfAborted()
    world.progress.say(`Sizes are not compared with earlier ones: ${messageOf(error)}`)
  }
  return known
}

async function newestOf(
  image: ImageSet['images'][string],
  world: World,
): Promise<EarlierImage | undefined> {
  const repository = openRepository(parseReference(image.reference), world.signal)
  const newest = await repository.getManifest(NEWEST_TAG)
  if (newest === undefined) return undefined
  const { digest } = newest
  const size = digest === image.digest ? image.size : await storedSize(digest, repository)
  return size === undefined ? undefined : { digest, size, of: 'newest' }
}
