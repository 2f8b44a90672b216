import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { publicKeyOf, verifyCommand } from './howtoverify.ts'
import { trustIn } from './keyless.ts'
import type { Trust } from './verifier.ts'

const image = `ghcr.io/acme/todo/api@sha256:${'a'.repeat(64)}`
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const key: Trust = { kind: 'key', publicKey }
const keyless = trustIn({
  repository: 'https://github.com/acme/todo',
  ref: 'refs/heads/main',
  mainRef: 'refs/heads/main',
})

describe('the command that verifies', () => {
  it('names the key, and the type as cosign does', () => {
    expect(verifyCommand(image, 'provenance', key)).toBe(
      `cosign verify-attestation --key signing-key.pub --insecure-ignore-tlog=true --type slsaprovenance1 ${image}`,
    )
    expect(verifyCommand(image, 'scan', key)).toContain(
      '--type https://in-toto.io/attestation/vulns/v0.1 ',
    )
  })

  it('names issuer and workflows where nobody has a key, safe from the shell', () => {
    expect(verifyCommand(image, 'sbom', keyless)).toBe(
      String.raw`cosign verify-attestation --certificate-oidc-issuer https://token.actions.githubusercontent.com --certificate-identity-regexp '^https://github\.com/acme/todo/\.github/workflows/[^@]+@(?:refs/heads/main|refs/tags/.+)$' --type spdxjson ${image}`,
    )
  })

  it('has a public key beside it only where a key signed', () => {
    expect(publicKeyOf(key)).toMatch(/^-----BEGIN PUBLIC KEY-----/)
    expect(publicKeyOf(keyless)).toBeUndefined()
  })
})
