import { isTimeout, messageOf } from '../errors.ts'
import { at, listAt, parseJson, textAt } from '../json.ts'
import { openRepository, type Repository } from '../registry/client.ts'
import { type Descriptor, descriptorOf } from '../registry/descriptor.ts'
import { formatReference, parseReference, type Reference } from '../registry/reference.ts'
import { openSession } from '../registry/session.ts'
import type { World } from '../world.ts'
import type { Survey } from './survey.ts'

/** What a registry says about one state of a base image, for one platform. */
export type BaseState = {
  /** What its name leads to: an image, or an index of images for several platforms. */
  readonly digest: string
  /** The image for the platform, and where it is. */
  readonly image: string
  readonly repository: Repository
  /** When it was made; undefined where it does not say, as reproducible images do not. */
  readonly created: Date | undefined
  /** Its layers, unpacked: images that are built on it begin with them. */
  readonly layers: readonly string[]
}

/** A base image as it was used, and what its tag leads to now. */
export type BaseFacts = {
  /** As the Dockerfile has it. */
  readonly name: string
  /** What was used, by digest; undefined where nobody knows. */
  readonly reference: string | undefined
  readonly used: BaseState | undefined
  /** What the tag leads to now, where that is something else than was used. */
  readonly newer: BaseState | undefined
  /** Why something is not known, or an empty text. */
  readonly doubt: string
}

/** Nobody waits for facts about bases: they are looked up beside the build. */
const LOOK_S = 30
const CONFIG_LIMIT = 8 * 1024 * 1024
/** Before containers there were none: such a date says nothing. */
const FIRST_YEAR = 2013

/** Looks up every base: by name as the Dockerfiles have it. Never fails; what can't be had is said in its facts. */
export async function lookAtBases(
  survey: Survey,
  world: World,
): Promise<ReadonlyMap<string, BaseFacts>> {
  const signal = AbortSignal.any([world.signal, AbortSignal.timeout(LOOK_S * 1000)])
  openSession({ patience: { attempts: 2 } }, signal)
  const platforms = new Map<string, string>()
  for (const { target, images } of survey.sources)
    for (const name of images) {
      const [platform = ''] = survey.platformsOf(target)
      if (!platforms.has(name)) platforms.set(name, platform)
    }
  const found = await Promise.all(
    [...platforms].map(async ([name, platform]): Promise<[string, BaseFacts]> => {
      const base = survey.bases.get(name)
      if (base === undefined || 'doubt' in base)
        return [name, unknown(name, base?.doubt ?? `${name} was not asked for`)]
      const places = placesOf(name, survey.mirrors)
      return [name, await lookAt({ name, digest: base.digest, platform }, places, signal)]
    }),
  )
  return new Map(found)
}

type Used = { readonly name: string; readonly digest: string; readonly platform: string }

async function lookAt(
  base: Used,
  places: readonly string[],
  signal: AbortSignal,
): Promise<BaseFacts> {
  const { name, digest, platform } = base
  const { tag, digest: pinned, ...where } = parseReference(name)
  const reference = formatReference({ ...where, digest })
  try {
    const repositories = places.map((registry) =>
      openRepository({ registry, repository: where.repository }, signal),
    )
    const used = await readState(digest, platform, repositories)
    // A name without a digest was resolved a moment ago, and a digest without a tag names nothing that moves.
    const now =
      pinned === undefined || tag === undefined
        ? undefined
        : await readState(tag, platform, repositories)
    const newer = now !== undefined && isOther(now, { digest, used }) ? now : undefined
    const doubt = used === undefined ? `${reference} is not in the registry any more` : ''
    return { name, reference, used, newer, doubt }
  } catch (error) {
    const why = isTimeout(error) ? `no answer within ${LOOK_S} s` : messageOf(error)
    return { name, reference, used: undefined, newer: undefined, doubt: why }
  }
}

/** A digest may name the image for one platform out of the index that the tag leads to. */
function isOther(
  now: BaseState,
  { digest, used }: { readonly digest: string; readonly used: BaseState | undefined },
): boolean {
  return now.digest !== digest && now.image !== digest && now.image !== used?.image
}

function unknown(name: string, doubt: string): BaseFacts {
  return { name, reference: undefined, used: undefined, newer: undefined, doubt }
}

function placesOf(name: string, mirrors: Survey['mirrors']): readonly string[] {
  const { registry }: Reference = parseReference(name)
  return [...(mirrors.get(registry) ?? []), registry]
}

/** Asks one place after the other, as the builder does; undefined where none of them has it. */
async function readState(
  tagOrDigest: string,
  platform: string,
  repositories: readonly Repository[],
): Promise<BaseState | undefined> {
  let doubt: Error | undefined
  for (const repository of repositories) {
    try {
      const root = await repository.getManifest(tagOrDigest)
      if (root === undefined) continue
      return await readImage(root, { platform, repository })
    } catch (error) {
      doubt = error instanceof Error ? error : new Error(messageOf(error))
    }
  }
  if (doubt !== undefined) throw doubt
  return undefined
}

async function readImage(
  root: { readonly digest: string; readonly bytes: Buffer },
  { platform, repository }: { readonly platform: string; readonly repository: Repository },
): Promise<BaseState> {
  const content = parseJson(root.bytes.toString(), root.digest)
  const child = childFor(platform, content)
  const manifest = child === undefined ? root : await repository.getManifest(child.digest)
  const text = manifest?.bytes.toString() ?? '{}'
  const config = descriptorOf(at(parseJson(text, root.digest), 'config'))
  const bytes = await repository.getBlob(config.digest, CONFIG_LIMIT)
  const described = parseJson(bytes.toString(), config.digest)
  return {
    digest: root.digest,
    image: manifest?.digest ?? root.digest,
    repository,
    created: dateOf(textAt(described, 'created')),
    layers: listAt(described, 'rootfs', 'diff_ids').map(String),
  }
}

/** The image for a platform such as `linux/arm64/v8`; the first one that fits. */
function childFor(platform: string, index: unknown): Descriptor | undefined {
  const [os, architecture, variant] = platform.split('/')
  const fits = listAt(index, 'manifests').filter((one) => {
    if (textAt(one, 'platform', 'architecture') === 'unknown') return false
    if (architecture === undefined) return true
    const own = textAt(one, 'platform', 'variant')
    return (
      textAt(one, 'platform', 'os') === os &&
      textAt(one, 'platform', 'architecture') === architecture &&
      (variant === undefined || own === undefined || own === variant)
    )
  })
  return fits[0] === undefined ? undefined : descriptorOf(fits[0])
}

function dateOf(text: string | undefined): Date | undefined {
  const date = new Date(text ?? '')
  return date.getUTCFullYear() >= FIRST_YEAR ? date : undefined
}
