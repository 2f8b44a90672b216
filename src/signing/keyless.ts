import { CIContextProvider, DSSEBundleBuilder, FulcioSigner, RekorWitness } from '@sigstore/sign'
import { bundleToJSON } from '@sigstore/bundle'
import { getTrustedRoot } from '@sigstore/tuf'
import { messageOf, UserError } from '../errors.ts'
import type { Signer } from './signer.ts'
import { formatStatement, STATEMENT_MEDIA_TYPE } from './statement.ts'
import type { Trust } from './verifier.ts'

/** The workflow that signs, where it runs on GitHub with `id-token: write`. */
export type WorkflowIdentity = {
  /** `https://github.com/acme/todo` */
  readonly repository: string
  /** `refs/heads/main`, of this run and of the branch that everybody's work ends up on. */
  readonly ref: string
  readonly mainRef: string
}

/** Where keyless signing gets its certificate and its log entry; the public instances where not given. */
export type KeylessServices = { readonly fulcio?: string; readonly rekor?: string }

const GITHUB_ISSUER = 'https://token.actions.githubusercontent.com'
const TRIES = 3
const TIMEOUT_MS = 20_000

/**
 * Signs with a certificate of a few minutes that Fulcio gives for the OIDC token of the job, and enters the signature in Rekor's
 * public log. Needs `id-token: write` on GitHub.
 */
export function openKeylessSigner(
  trust: Trust,
  { fulcio, rekor }: KeylessServices,
  identity: { readonly getToken: () => Promise<string> } = new CIContextProvider('sigstore'),
): Signer {
  const limits = { retry: { retries: TRIES }, timeout: TIMEOUT_MS }
  const signer = new FulcioSigner({
    identityProvider: identity,
    ...limits,
    ...(fulcio === undefined ? {} : { fulcioBaseURL: fulcio }),
  })
  const witness = new RekorWitness({
    entryType: 'dsse',
    ...limits,
    ...(rekor === undefined ? {} : { rekorBaseURL: rekor }),
  })
  const builder = new DSSEBundleBuilder({ signer, witnesses: [witness] })
  return {
    trust,
    sign: async (statement) => {
      const data = Buffer.from(formatStatement(statement))
      try {
        const bundle = await builder.create({ data, type: STATEMENT_MEDIA_TYPE })
        return JSON.stringify(bundleToJSON(bundle))
      } catch (error) {
        throw new UserError(
          `Signing failed: ${messageOf(error)}; on GitHub the job needs "id-token: write", elsewhere give a key`,
          [],
          { cause: error },
        )
      }
    },
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
