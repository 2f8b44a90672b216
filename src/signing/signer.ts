import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { bundleToJSON, type BundleWithDsseEnvelope, toDSSEBundle } from '@sigstore/bundle'
import { UserError } from '../errors.ts'
import { formatStatement, type Statement, STATEMENT_MEDIA_TYPE } from './statement.ts'
import type { Trust } from './verifier.ts'

/** Makes signed statements, as Sigstore bundles that cosign reads. */
export type Signer = {
  /** The JSON text of a bundle (Sigstore bundle 0.3) with the statement in a DSSE envelope. */
  sign: (statement: Statement) => Promise<string>
  /** What this signer's own statements are verified with. */
  readonly trust: Trust
}

/** Signs with an ECDSA P-256 key in PEM (PKCS#8, or SEC 1), without a transparency log. Throws `UserError` for any other key. */
export function openKeySigner(pem: string, password?: string): Signer {
  const privateKey = readPrivateKey(pem, password)
  const publicKey = createPublicKey(privateKey)
  const keyHint = hintOf(publicKey)
  return {
    trust: { kind: 'key', publicKey },
    sign: (statement) => {
      const artifact = Buffer.from(formatStatement(statement))
      const signature = sign('sha256', encode(STATEMENT_MEDIA_TYPE, artifact), privateKey)
      const bundle = toDSSEBundle({
        artifact,
        artifactType: STATEMENT_MEDIA_TYPE,
        signature,
        keyHint,
      })
      return Promise.resolve(JSON.stringify(bundleToJSON(withoutKeyId(bundle))))
    },
  }
}

/**
 * The hint beside the envelope names the key. Within it, the same hint would have to be the key's name in the form of the verifier:
 * cosign compares it with a form of its own, and passes over what differs.
 */
function withoutKeyId(bundle: BundleWithDsseEnvelope): BundleWithDsseEnvelope {
  const { dsseEnvelope } = bundle.content
  const signatures = dsseEnvelope.signatures.map((signature) => ({ ...signature, keyid: '' }))
  const content = { ...bundle.content, dsseEnvelope: { ...dsseEnvelope, signatures } }
  return { ...bundle, content }
}

/** What is signed of an envelope: type and content with their lengths (DSSE protocol, "PAE"). */
function encode(type: string, payload: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `),
    payload,
  ])
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
