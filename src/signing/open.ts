import { UserError } from '../errors.ts'
import type { WorkflowIdentity } from './keyless.ts'
import { openKeySigner, type Signer } from './signer.ts'

/** What there is to sign with; secrets, so it never reaches a report. */
export type SigningMaterial = {
  /** A private key in PEM, and the password it is under. */
  readonly key?: string
  readonly password?: string
  /** The workflow that runs, where it runs on GitHub with `id-token: write`. */
  readonly workflow?: WorkflowIdentity
}

export const SIGNING = ['auto', 'key', 'keyless', 'none'] as const
export type SigningKind = (typeof SIGNING)[number]

/**
 * The signer that was asked for; undefined only for `none`, which has to be asked for. `auto` is keyless on GitHub, else a key.
 * Throws `UserError` where there is nothing to sign with.
 */
export async function openSigner(
  kind: SigningKind,
  material: SigningMaterial,
): Promise<Signer | undefined> {
  const { key, password, workflow } = material
  const wanted = kind === 'auto' ? (key === undefined ? 'keyless' : 'key') : kind
  switch (wanted) {
    case 'none':
      return undefined
    case 'key':
      if (key === undefined) throw nothingToSignWith('key')
      return openKeySigner(key, password)
    case 'keyless': {
      if (workflow === undefined) throw nothingToSignWith(kind)
      // Its libraries take a while to load, and only GitHub needs them.
      const { openKeylessSigner, trustIn } = await import('./keyless.ts')
      return openKeylessSigner(trustIn(workflow), {})
    }
    default:
      throw new TypeError(wanted satisfies never)
  }
}

function nothingToSignWith(kind: SigningKind): UserError {
  const ways = {
    key: 'put an ECDSA P-256 key in PEM into TODO_DEPLOY_SIGNING_KEY, or its file name into TODO_DEPLOY_SIGNING_KEY_FILE',
    keyless: 'run on GitHub, in a job with "id-token: write"',
    none: '',
  }
  const way =
    kind === 'auto' ? `${ways.keyless}; elsewhere ${ways.key}; or say signing: none` : ways[kind]
  return new UserError(`There is nothing to sign with: ${way}`)
}
