import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  type SigstoreEmulator,
  startSigstoreEmulator,
  tokenOf,
} from '../../tests/fakes/sigstore.ts'
import { openKeylessSigner, trustIn } from './keyless.ts'
import { type Trust, verifyBundle } from './verifier.ts'

const statement = {
  subjects: [{ name: 'ghcr.io/acme/todo/api', digest: `sha256:${'a'.repeat(64)}` }],
  predicateType: 'https://slsa.dev/provenance/v1',
  predicate: { buildType: 'x' },
}
const workflow = {
  repository: 'https://github.com/acme/todo',
  ref: 'refs/heads/feature',
  mainRef: 'refs/heads/main',
}
const ISSUER = 'https://token.actions.githubusercontent.com'
let emulator: SigstoreEmulator

beforeAll(async () => {
  emulator = await startSigstoreEmulator()
})
afterAll(() => {
  emulator.close()
})

function trust(of: Partial<typeof workflow> = {}): Trust {
  return { ...trustIn({ ...workflow, ...of }), root: () => Promise.resolve(emulator.root) } as Trust
}

async function signAs(identity: string, issuer = ISSUER): Promise<string> {
  const services = { fulcio: emulator.url, rekor: emulator.url }
  const getToken = () => Promise.resolve(tokenOf(identity, issuer))
  return await openKeylessSigner(trust(), services, { getToken }).sign(statement)
}

const file = 'https://github.com/acme/todo/.github/workflows/cd.yml'

describe('a keyless signature (with an emulator of Fulcio and Rekor)', () => {
  it.each([
    { name: 'the main branch', identity: `${file}@refs/heads/main` },
    { name: 'the branch that runs', identity: `${file}@refs/heads/feature` },
    { name: 'a tag', identity: `${file}@refs/tags/v1` },
  ])('of a workflow on $name is believed', async ({ identity }) => {
    expect(await verifyBundle(await signAs(identity), trust(), 'it')).toEqual(statement)
  })

  it.each([
    { name: 'another branch', identity: `${file}@refs/heads/other` },
    { name: 'another repository', identity: `${file.replace('todo', 'todo2')}@refs/heads/main` },
    { name: 'a name that only begins right', identity: `${file}@refs/heads/main2` },
    {
      name: 'somebody else who gives tokens',
      identity: `${file}@refs/heads/main`,
      issuer: 'https://example.org',
    },
  ])('of $name is not', async ({ identity, issuer }) => {
    const bundle = await signAs(identity, issuer)
    await expect(verifyBundle(bundle, trust(), 'it')).rejects.toThrow('it is not to be believed')
  })

  it('of a certificate authority that is not trusted is not', async () => {
    const other = await startSigstoreEmulator()
    const root = () => Promise.resolve(other.root)
    const bundle = await signAs(`${file}@refs/heads/main`)
    await expect(verifyBundle(bundle, { ...trust(), root } as Trust, 'it')).rejects.toThrow(
      'it is not to be believed',
    )
    other.close()
  })

  it('that can not be had says what the job needs', async () => {
    const getToken = () => Promise.reject(new Error('no token'))
    const signer = openKeylessSigner(
      trust(),
      { fulcio: emulator.url, rekor: emulator.url },
      { getToken },
    )
    await expect(signer.sign(statement)).rejects.toThrow('"id-token: write"')
  })
})
