import type { Trust } from './verifier.ts'

/** What is signed, and the predicate that says it. */
export const PREDICATES = {
  provenance: 'https://slsa.dev/provenance/v1',
  sbom: 'https://spdx.dev/Document',
  scan: 'https://in-toto.io/attestation/vulns/v0.1',
  release: 'https://todo-deploy.dev/release/v1',
} as const

export type Claim = keyof typeof PREDICATES

/** cosign's own short names; others it takes by their whole address. */
const COSIGN_NAMES: Partial<Record<Claim, string>> = {
  provenance: 'slsaprovenance1',
  sbom: 'spdxjson',
}

/** The name of the file with the public key, as the commands name it. */
export const PUBLIC_KEY_FILE = 'signing-key.pub'

/** The public key that signed, in PEM; undefined where there is none because a workflow signed. */
export function publicKeyOf(trust: Trust): string | undefined {
  return trust.kind === 'key'
    ? trust.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    : undefined
}

/** The command that verifies with cosign 3 what we say about an image or a release, as one types it in a shell. */
export function verifyCommand(reference: string, claim: Claim, trust: Trust): string {
  const type = COSIGN_NAMES[claim] ?? PREDICATES[claim]
  return ['cosign', 'verify-attestation', ...signerOf(trust), '--type', type, reference]
    .map(quote)
    .join(' ')
}

function signerOf(trust: Trust): readonly string[] {
  switch (trust.kind) {
    case 'key':
      // Only keyless signatures are entered in a log: a key of one's own needs none.
      return ['--key', PUBLIC_KEY_FILE, '--insecure-ignore-tlog=true']
    case 'keyless':
      return [
        ...['--certificate-oidc-issuer', trust.issuer],
        // Only JavaScript has slashes to escape.
        ...['--certificate-identity-regexp', trust.identity.source.replaceAll('\\/', '/')],
      ]
    default:
      throw new TypeError(trust satisfies never)
  }
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
