import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { at, parseJson, textAt } from '../json.ts'
import { openKeySigner } from './signer.ts'
import { verifyBundle } from './verifier.ts'

const statement = {
  subjects: [{ name: 'registry/todo/api', digest: `sha256:${'a'.repeat(64)}` }],
  predicateType: 'https://slsa.dev/provenance/v1',
  predicate: { buildType: 'x' },
}

function newKey(curve = 'P-256', passphrase?: string): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: curve })
  const sealed = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase }
  return privateKey.export({ type: 'pkcs8', format: 'pem', ...sealed }).toString()
}

describe('a statement signed with a key', () => {
  it('is read back by whoever trusts the key', async () => {
    const signer = openKeySigner(newKey())
    const bundle = await signer.sign(statement)
    expect(textAt(parseJson(bundle, 'bundle'), 'mediaType')).toBe(
      'application/vnd.dev.sigstore.bundle.v0.3+json',
    )
    expect(await verifyBundle(bundle, signer.trust, 'it')).toEqual(statement)
  })

  it('is not believed by one who trusts another key', async () => {
    const bundle = await openKeySigner(newKey()).sign(statement)
    const { trust } = openKeySigner(newKey())
    await expect(verifyBundle(bundle, trust, 'it')).rejects.toThrow('it is not to be believed')
  })

  it('is not believed when a letter of it was changed', async () => {
    const signer = openKeySigner(newKey())
    const bundle = parseJson(await signer.sign(statement), 'bundle')
    const payload = textAt(bundle, 'dsseEnvelope', 'payload') ?? ''
    const changed = Buffer.from(payload, 'base64').toString().replace('"x"', '"y"')
    const envelope = at(bundle, 'dsseEnvelope') as Record<string, unknown>
    envelope['payload'] = Buffer.from(changed).toString('base64')
    await expect(verifyBundle(JSON.stringify(bundle), signer.trust, 'it')).rejects.toThrow(
      'it is not to be believed',
    )
  })

  it('names its key beside the envelope only, as cosign wants it', async () => {
    const signer = openKeySigner(newKey())
    const bundle = parseJson(await signer.sign(statement), 'bundle')
    expect(textAt(bundle, 'verificationMaterial', 'publicKey', 'hint')).not.toBe('')
    const signature = at(bundle, 'dsseEnvelope', 'signatures', 0) as Record<string, unknown>
    expect(signature['keyid']).toBeUndefined()
    signature['keyid'] = 'something'
    await expect(verifyBundle(JSON.stringify(bundle), signer.trust, 'it')).rejects.toThrow(
      'its signature names a key in the envelope',
    )
  })

  it('can be signed with a key under a password', async () => {
    const signer = openKeySigner(newKey('P-256', 'open sesame'), 'open sesame')
    expect(await verifyBundle(await signer.sign(statement), signer.trust, 'it')).toEqual(statement)
  })
})

describe('a signing key', () => {
  it.each([
    { name: 'no key', pem: 'secret words', says: 'can not be read' },
    { name: 'another curve', pem: newKey('P-384'), says: 'of another kind' },
    {
      name: 'a key whose password is not given',
      pem: newKey('P-256', 'x'),
      says: 'can not be read',
    },
  ])('is refused without being shown where it is $name', ({ pem, says }) => {
    const refused = () => openKeySigner(pem)
    expect(refused).toThrow(says)
    expect(refused).not.toThrow('secret words')
  })
})
