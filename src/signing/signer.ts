import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { bundleToJSON } from '@sigstore/bundle'
import {
  CIContextProvider,
  DSSEBundleBuilder,
  FulcioSigner,
  RekorWitness,
  type Signer as SigstoreSigner,
  type Witness,
} from '@sigstore/sign'
import { messageOf, UserError } from '../errors.ts'
import { formatStatement, type Statement, STATEMENT_MEDIA_TYPE } from './statement.ts'
import type { Trust } from './verifier.ts'

/** Makes signed statements, as Sigstore bundles that cosign reads. */
export type Signer = {
  /** The JSON text of a bundle (Sigstore bundle 0.3) with the statement in a DSSE envelope. */
  sign: (statement: Statement) => Promise<string>
  /** What this signer's own statements are verified with. */
  readonly trust: Trust
}

/** Where keyless signing gets its certificate and its log entry; the public instances where not given. */
export type KeylessServices = { readonly fulcio?: string; readonly rekor?: string }

const TRIES = 3
const TIMEOUT_MS = 20_000

/** Signs with an ECDSA P-256 key in PEM (PKCS#8, or SEC 1), without a transparency log. Throws `UserError` for any other key. */
export function openKeySigner(pem: string, password?: string): Signer {
  const privateKey = readPrivateKey(pem, password)
  const publicKey = createPublicKey(privateKey)
  const hint = hintOf(publicKey)
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const signer: SigstoreSigner = {
    sign: (data) =>
      Promise.resolve({
        signature: sign('sha256', data, privateKey),
        key: { $case: 'publicKey', publicKey: publicPem, hint },
      }),
  }
  return { sign: bundler(signer, []), trust: { kind: 'key', publicKey } }
}

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
  return { sign: bundler(signer, [witness]), trust }
}

function bundler(signer: SigstoreSigner, witnesses: Witness[]): Signer['sign'] {
  // Without a chain, as bundles of version 0.3 are: the certificate authority is known to whoever verifies.
  const builder = new DSSEBundleBuilder({ signer, witnesses })
  return async (statement) => {
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
  }
}

function readPrivateKey(pem: string, password: string | undefined): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey({
      key: pem,
      ...(password === undefined ? {} : { passphrase: password }),
    })
  } catch (error) {
    // The cause may quote the key, so it is not shown.
    throw new UserError(
      'The signing key can not be read: give an ECDSA P-256 key in PEM, and its password where it has one',
      [],
      { cause: error },
    )
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new UserError(
      'The signing key is of another kind; make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256',
    )
  return key
}

/** How a bundle names the key that it was signed with: the SHA-256 of the public key, as cosign does. */
export function hintOf(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(der).digest('base64')
}
