import { messageOf, UserError } from '../errors.ts'
import { at, isObject, listAt, textAt } from '../json.ts'
import { openRepository, type Repository } from '../registry/client.ts'
import { storedSize } from '../registry/layout.ts'
import { type PlatformImage, platformImages } from '../registry/platforms.ts'
import { parseReference } from '../registry/reference.ts'
import { readAttestations } from '../signing/attestation.ts'
import type { Statement } from '../signing/statement.ts'
import type { Trust } from '../signing/verifier.ts'
import type { World } from '../world.ts'
import { explainChange, type InputKey, type KeyOfTarget } from './inputkey.ts'
import { PROVENANCE } from './provenance.ts'

/** An image that was built from the same inputs before, or why it has to be built. */
export type Reuse =
  | {
      readonly kind: 'same'
      readonly digest: string
      readonly size: number
      /** The image of each of its platforms, with the digest of the SBOM that was made of it, as its signed provenance says. */
      readonly platforms: readonly (PlatformImage & { readonly sbom: string })[]
    }
  | { readonly kind: 'build'; readonly why: string }

const KEY_DIGITS = 40

/** The tag that leads from an input key to an image. It is a hint only: what it leads to is believed by its signature. */
export function keyTag(key: InputKey): string {
  return `key-${key.digest.slice('sha256:'.length).slice(0, KEY_DIGITS)}`
}

/** The tag of the image that was published last, whose inputs say what has changed since. */
export const NEWEST_TAG = 'newest'

/** Looks for an image with this key in `<registry>/<name>`. Any doubt means that it is built. */
export async function findReusable(
  key: KeyOfTarget,
  where: { readonly reference: string; readonly trust: Trust | undefined },
  world: World,
): Promise<Reuse> {
  if ('doubts' in key) return build(key.doubts.join('; '))
  if (where.trust === undefined) return build('nothing is signed, so that nothing can be believed')
  try {
    const repository = openRepository(parseReference(where.reference), world.signal)
    const by = { trust: where.trust, repository }
    const found = await repository.getManifest(keyTag(key))
    if (found === undefined) return build(await explain(key, by))
    const statements = await readAttestations(found.digest, PROVENANCE, by)
    // The newest: what an earlier one names may be gone, which was why it was built again.
    const said = statements.findLast((statement) => keyIn(statement) === key.digest)
    const sboms = said === undefined ? [] : sbomsIn(said)
    const platforms = platformImages(found).flatMap((image, index) => {
      const sbom = sboms[index]
      return sbom === undefined ? [] : [{ ...image, sbom }]
    })
    if (platforms.length === 0 || platforms.length !== sboms.length)
      return build('the image that is there is not signed by us for these inputs')
    const size = await storedSize(found.digest, repository)
    if (size === undefined) return build('the image that was built from these inputs is not whole')
    return { kind: 'same', digest: found.digest, size, platforms }
  } catch (error) {
    if (error instanceof UserError) return build(messageOf(error))
    throw error
  }
}

async function explain(
  key: InputKey,
  by: { readonly trust: Trust; readonly repository: Repository },
): Promise<string> {
  const newest = await by.repository.getManifest(NEWEST_TAG)
  if (newest === undefined) return 'it was never published'
  const statements = await readAttestations(newest.digest, PROVENANCE, by)
  const inputs = statements.map(inputsIn).findLast((one) => one !== undefined)
  if (inputs === undefined) return 'the newest image does not say what it was built from'
  return explainChange(inputs, key.inputs) || 'the image of these inputs is gone'
}

function keyIn({ predicate }: Statement): string | undefined {
  return textAt(predicate, 'buildDefinition', 'internalParameters', 'inputKey')
}

function inputsIn({ predicate }: Statement): InputKey['inputs'] | undefined {
  const inputs = at(predicate, 'buildDefinition', 'internalParameters', 'inputs')
  return isObject(inputs) ? (inputs as InputKey['inputs']) : undefined
}

/** One for each platform, in the order of the index. */
function sbomsIn({ predicate }: Statement): readonly string[] {
  return listAt(predicate, 'runDetails', 'byproducts').map(
    (one) => `sha256:${textAt(one, 'digest', 'sha256') ?? ''}`,
  )
}

function build(why: string): Reuse {
  return { kind: 'build', why }
}
