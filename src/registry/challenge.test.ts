import { afterEach, describe, expect, it } from '@jest/globals'
import { type FakeRegistry, openFakeRegistry, type Reply } from '../../tests/fakes/registry.ts'
import { authorize, parseChallenge } from './challenge.ts'

const { signal } = new AbortController()
const login = { username: 'ann', password: 'pass:word' }
const BASIC = `Basic ${Buffer.from('ann:pass:word').toString('base64')}`

let issuer: FakeRegistry | undefined
afterEach(async () => {
  await issuer?.close()
  issuer = undefined
})

async function bearer(reply: Reply): Promise<string> {
  issuer = await openFakeRegistry(() => reply)
  return `Bearer realm="http://${issuer.registry}/token",service="registry",scope="repository:a/b:pull"`
}

describe('a challenge', () => {
  it('is read whatever the case of its scheme', () => {
    expect(parseChallenge('BEARER realm="https://auth.example/token",service="r"')).toEqual({
      scheme: 'bearer',
      parameters: { realm: 'https://auth.example/token', service: 'r' },
    })
  })

  it('keeps the commas and colons of a quoted value', () => {
    const { parameters } = parseChallenge(
      'Bearer realm="https://a",scope="repository:a/b:pull,push"',
    )
    expect(parameters['scope']).toBe('repository:a/b:pull,push')
  })

  it('that is basic is answered with the login, whose password may have a colon', async () => {
    expect(await authorize(parseChallenge('Basic realm="r"'), login, signal)).toBe(BASIC)
  })

  it('that asks for a token names service and scope to the issuer', async () => {
    const challenge = await bearer({ status: 200, body: '{"token":"t1"}' })
    expect(await authorize(parseChallenge(challenge), login, signal)).toBe('Bearer t1')
    const [asked] = issuer?.asked ?? []
    expect(Object.fromEntries(asked?.url.searchParams ?? [])).toEqual({
      service: 'registry',
      scope: 'repository:a/b:pull',
    })
    expect(asked?.authorization).toBe(BASIC)
  })

  it('is answered with an access_token as well, and without a login', async () => {
    const challenge = await bearer({ status: 200, body: '{"access_token":"t2"}' })
    expect(await authorize(parseChallenge(challenge), undefined, signal)).toBe('Bearer t2')
    expect(issuer?.asked[0]?.authorization).toBeUndefined()
  })

  it.each([
    { name: 'is basic and nobody has logged in', header: 'Basic realm="r"' },
    { name: 'names no realm', header: 'Bearer service="r"' },
    { name: 'names a realm that is no address', header: 'Bearer realm="over there"' },
    { name: 'has a scheme of its own', header: 'Negotiate' },
    { name: 'is not there', header: null },
  ])("can't be answered where it $name", async ({ header }) => {
    expect(await authorize(parseChallenge(header), undefined, signal)).toBeUndefined()
  })

  it("can't be answered where the issuer refuses the login", async () => {
    const challenge = await bearer({ status: 401 })
    expect(await authorize(parseChallenge(challenge), login, signal)).toBeUndefined()
  })
})
