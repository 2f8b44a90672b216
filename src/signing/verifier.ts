import type { KeyObject } from 'node:crypto'
import { bundleFromJSON, isBundleWithDsseEnvelope } from '@sigstore/bundle'
import type { TrustedRoot } from '@sigstore/protobuf-specs'
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify'
import { messageOf, UserError } from '../errors.ts'
import { parseJson } from '../json.ts'
import { parseStatement, type Statement, STATEMENT_MEDIA_TYPE } from './statement.ts'

/** Whose statements are believed. */
export type Trust =
  | { readonly kind: 'key'; readonly publicKey: KeyObject }
  | {
      readonly kind: 'keyless'
      /** The OIDC issuer in the certificate, such as GitHub's. */
      readonly issuer: string
      /** The whole subject alternative name in the certificate: on GitHub workflow file and ref. */
      readonly identity: RegExp
      /** Certificate authorities and logs that count. */
      readonly root: () => Promise<TrustedRoot>
    }

/** Reads the statement in a bundle. Throws `UserError` where it is not signed by one who is trusted, or was changed since. */
export async function verifyBundle(text: string, trust: Trust, what: string): Promise<Statement> {
  try {
    const bundle = bundleFromJSON(parseJson(text, what))
    if (!isBundleWithDsseEnvelope(bundle)) throw new Error('it holds no statement')
    const { payload, payloadType, signatures } = bundle.content.dsseEnvelope
    if (payloadType !== STATEMENT_MEDIA_TYPE) throw new Error(`it is of type ${payloadType}`)
    // What cosign would pass over is not good enough for us either: it is signed again.
    if (trust.kind === 'key' && signatures.some(({ keyid }) => keyid !== ''))
      throw new Error('its signature names a key in the envelope')
    const entity = toSignedEntity(bundle)
    switch (trust.kind) {
      case 'key':
        byKey(trust.publicKey).verify(entity)
        break
      case 'keyless': {
        const verifier = new Verifier(toTrustMaterial(await trust.root()))
        const { identity, issuer } = trust
        verifier.verify(entity, { subjectAlternativeName: identity, extensions: { issuer } })
        break
      }
      default:
        throw new TypeError(trust satisfies never)
    }
    return parseStatement(payload.toString(), what)
  } catch (error) {
    throw new UserError(`${what} is not to be believed: ${messageOf(error)}`, [], { cause: error })
  }
}

/** A key of one's own needs no log: who has the key is trusted, at any time. */
function byKey(publicKey: KeyObject): Verifier {
  const nobody = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] }
  const material = { ...nobody, publicKey: () => ({ publicKey, validFor: () => true }) }
  return new Verifier(material, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 })
}
