import {
  createHash,
  createPrivateKey,
  createPublicKey,
  createSign,
  type KeyObject,
} from 'node:crypto'
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

/** What stands in a bundle where its content will be; none at all would be left out. */
const STAND_IN = Buffer.from('-')
const STAND_IN_WRITTEN = `"payload":"${STAND_IN.toString('base64')}"`

/** Signs with an ECDSA P-256 key in PEM (PKCS#8, or SEC 1), without a transparency log. Throws `UserError` for any other key. */
export function openKeySigner(pem: string, password?: string): Signer {
  const privateKey = readPrivateKey(pem, password)
  const publicKey = createPublicKey(privateKey)
  const keyHint = hintOf(publicKey)
  return {
    trust: { kind: 'key', publicKey },
    sign: (statement) => {
      const artifact = Buffer.from(formatStatement(statement))
      const signature = createSign('sha256')
        .update(prefixOf(STATEMENT_MEDIA_TYPE, artifact))
        .update(artifact)
        .sign(privateKey)
      const bundle = toDSSEBundle({
        // An SBOM has megabytes: it is written into the text, and not copied from form to form.
        artifact: STAND_IN,
        artifactType: STATEMENT_MEDIA_TYPE,
        signature,
        keyHint,
      })
      const [before, after] = JSON.stringify(bundleToJSON(withoutKeyId(bundle))).split(
        STAND_IN_WRITTEN,
        2,
      )
      return Promise.resolve(
        `${before ?? ''}"payload":"${artifact.toString('base64')}"${after ?? ''}`,
      )
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

/** What is signed of an envelope before its content: type and lengths (DSSE protocol, "PAE"). */
function prefixOf(type: string, payload: Buffer): string {
  return `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `
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
