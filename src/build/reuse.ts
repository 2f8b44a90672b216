import { messageOf, UserError } from '../errors.ts'
import { at, isObject, textAt } from '../json.ts'
import { openRepository, type Repository } from '../registry/client.ts'
import { storedSize } from '../registry/layout.ts'
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
      /** The digest of the SBOM that was made of it, as its signed provenance says. */
      readonly sbom: string
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
    const sbom = said === undefined ? undefined : sbomIn(said)
    if (sbom === undefined)
      return build('the image that is there is not signed by us for these inputs')
    const size = await storedSize(found.digest, repository)
    if (size === undefined) return build('the image that was built from these inputs is not whole')
    return { kind: 'same', digest: found.digest, size, sbom }
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

function sbomIn({ predicate }: Statement): string | undefined {
  const hex = textAt(predicate, 'runDetails', 'byproducts', 0, 'digest', 'sha256')
  return hex === undefined ? undefined : `sha256:${hex}`
}

function build(why: string): Reuse {
  return { kind: 'build', why }
}
