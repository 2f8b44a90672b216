import { getTrustedRoot } from '@sigstore/tuf'
import { UserError } from '../errors.ts'
import { openKeylessSigner, openKeySigner, type Signer } from './signer.ts'
import type { Trust } from './verifier.ts'

/** What there is to sign with; secrets, so it never reaches a report. */
export type SigningMaterial = {
  /** A private key in PEM, and the password it is under. */
  readonly key?: string
  readonly password?: string
  /** The workflow that runs, where it runs on GitHub with `id-token: write`. */
  readonly workflow?: WorkflowIdentity
}

export type WorkflowIdentity = {
  /** `https://github.com/acme/todo` */
  readonly repository: string
  /** `refs/heads/main`, of this run and of the branch that everybody's work ends up on. */
  readonly ref: string
  readonly mainRef: string
}

export const SIGNING = ['auto', 'key', 'keyless', 'none'] as const
export type SigningKind = (typeof SIGNING)[number]

const GITHUB_ISSUER = 'https://token.actions.githubusercontent.com'

/**
 * The signer that was asked for; undefined only for `none`, which has to be asked for. `auto` is keyless on GitHub, else a key.
 * Throws `UserError` where there is nothing to sign with.
 */
export function openSigner(kind: SigningKind, material: SigningMaterial): Signer | undefined {
  const { key, password, workflow } = material
  const wanted = kind === 'auto' ? (key === undefined ? 'keyless' : 'key') : kind
  switch (wanted) {
    case 'none':
      return undefined
    case 'key':
      if (key === undefined) throw nothingToSignWith('key')
      return openKeySigner(key, password)
    case 'keyless':
      if (workflow === undefined) throw nothingToSignWith(kind)
      return openKeylessSigner(trustIn(workflow), {})
    default:
      throw new TypeError(wanted satisfies never)
  }
}

/**
 * Who may vouch for what is used again: the repository's own workflows, on its main branch, for a tag, or on the branch that runs now.
 * Others may push branches too, and what they sign there is believed there only.
 */
export function trustIn({ repository, ref, mainRef }: WorkflowIdentity): Trust {
  const refs = [...new Set([ref, mainRef])].filter((one) => one !== '').map(quote)
  const identity = new RegExp(
    `^${quote(repository)}/\\.github/workflows/[^@]+@(?:${[...refs, 'refs/tags/.+'].join('|')})$`,
  )
  return { kind: 'keyless', issuer: GITHUB_ISSUER, identity, root: () => getTrustedRoot() }
}

function quote(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
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
