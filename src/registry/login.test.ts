import { describe, expect, it } from '@jest/globals'
import { parseChallenges } from './challenge.ts'
import type { Credentials } from './credentials.ts'
import { gather } from './digest.ts'
import type { Reply } from './exchange.ts'
import { type Login, openLogin } from './login.ts'
import type { AskIssuer } from './token.ts'

const BASIC = `Basic ${Buffer.from('ann:pass:word').toString('base64')}`
const PULL = ['repository:a/b:pull']
const CHALLENGE = 'Bearer realm="https://auth.example/token",service="r"'
const ann: Credentials = { kind: 'password', username: 'ann', password: 'pass:word' }

type Asked = {
  readonly url: string
  readonly method: string
  readonly authorization: string | undefined
  readonly form: string
}

/** A login to https://ghcr.example, whose issuer gives the answers in order. */
function open(
  credentials: Credentials | undefined,
  answers: readonly { readonly status?: number; readonly body: string }[] = [],
): { readonly login: Login; readonly asked: Asked[] } {
  const asked: Asked[] = []
  const waiting = [...answers]
  const ask: AskIssuer = async ({ url, method, headers, body }) => {
    const form = body === undefined ? '' : (await gather(body.open(), 1000, 'a form')).toString()
    asked.push({ url: url.href, method, authorization: headers['authorization'], form })
    return reply(waiting.shift() ?? { status: 500, body: '' })
  }
  const found = credentials === undefined ? { credentials, why: 'nobody did' } : { credentials }
  const registry = { name: 'ghcr.example', base: new URL('https://ghcr.example') }
  return { login: openLogin(registry, () => Promise.resolve(found), ask), asked }
}

function reply({ status = 200, body }: { readonly status?: number; readonly body: string }): Reply {
  return {
    url: new URL('https://auth.example/token'),
    status,
    header: () => undefined,
    headers: () => [],
    body: (async function* () {
      yield await Promise.resolve(Buffer.from(body))
    })(),
    leave: () => Promise.resolve(),
  }
}

function refuse(login: Login, challenge: string, sent?: string): Promise<boolean> {
  return login.answer(parseChallenges([challenge]), { scopes: PULL, sent })
}

describe('a login', () => {
  it('says nothing before it is asked', async () => {
    expect(await open(ann).login.header(PULL)).toBeUndefined()
  })

  it('that is basic is sent as it is, and its password may have a colon', async () => {
    const { login } = open(ann)
    expect(await refuse(login, 'Basic realm="r"')).toBe(true)
    expect(await login.header(PULL)).toBe(BASIC)
  })

  it('that is basic is not sent again where it was refused', async () => {
    const { login } = open(ann)
    await refuse(login, 'Basic realm="r"')
    expect(await refuse(login, 'Basic realm="r"', BASIC)).toBe(false)
  })

  it('gets a token, naming service and rights to the issuer, and keeps it', async () => {
    const { login, asked } = open(ann, [{ body: '{"token":"t1","expires_in":300}' }])
    expect(await refuse(login, `${CHALLENGE},scope="repository:a/b:push repository:c:pull"`)).toBe(
      true,
    )
    expect(await login.header(PULL)).toBe('Bearer t1')
    const url = new URL(asked[0]?.url ?? '')
    expect(url.searchParams.get('service')).toBe('r')
    expect(url.searchParams.getAll('scope')).toEqual([
      'repository:a/b:pull,push',
      'repository:c:pull',
    ])
    expect(asked.map(({ authorization }) => authorization)).toEqual([BASIC])
  })

  it('gets one token for calls that were refused together', async () => {
    const { login, asked } = open(ann, [{ body: '{"token":"t1"}' }])
    await Promise.all([
      refuse(login, CHALLENGE),
      refuse(login, CHALLENGE),
      refuse(login, CHALLENGE),
    ])
    expect(asked).toHaveLength(1)
  })

  it('gets another token where the first was refused, or for other rights', async () => {
    const answers = ['t1', 't2', 't3'].map((token) => ({ body: JSON.stringify({ token }) }))
    const { login } = open(ann, answers)
    await refuse(login, CHALLENGE)
    await refuse(login, CHALLENGE, 'Bearer t1')
    expect(await login.header(PULL)).toBe('Bearer t2')
    expect(await login.header(['repository:a/b:pull,push'])).toBe('Bearer t3')
  })

  it('takes an access_token as well, and needs no password for what all may read', async () => {
    const { login, asked } = open(undefined, [{ body: '{"access_token":"t2"}' }])
    await refuse(login, CHALLENGE)
    expect(await login.header(PULL)).toBe('Bearer t2')
    expect(asked.map(({ authorization }) => authorization)).toEqual([undefined])
  })

  it('by an identity token is exchanged in a form, never in an address', async () => {
    const identity: Credentials = { kind: 'identity', token: 'secret+/=' }
    const { login, asked } = open(identity, [{ body: '{"access_token":"t4"}' }])
    await refuse(login, CHALLENGE)
    expect(await login.header(PULL)).toBe('Bearer t4')
    expect(asked.map(({ url, method }) => `${method} ${url}`)).toEqual([
      'POST https://auth.example/token',
    ])
    const form = new URLSearchParams(asked[0]?.form)
    expect(form.get('refresh_token')).toBe('secret+/=')
    expect(form.get('grant_type')).toBe('refresh_token')
  })

  it('by a token that is one already asks nobody', async () => {
    const { login, asked } = open({ kind: 'bearer', token: 't5' })
    await refuse(login, CHALLENGE)
    expect(await login.header(PULL)).toBe('Bearer t5')
    expect(asked).toEqual([])
  })

  it.each([
    { name: 'is basic and nobody has logged in', challenge: 'Basic realm="r"' },
    { name: 'names no realm', challenge: 'Bearer service="r"' },
    { name: 'names a realm that is no address', challenge: 'Bearer realm="over there"' },
    { name: 'leads from TLS to plain HTTP', challenge: 'Bearer realm="http://auth.example/"' },
    { name: 'has a scheme of its own', challenge: 'Negotiate' },
    { name: 'is not there', challenge: '' },
  ])('has no answer to a challenge that $name', async ({ challenge }) => {
    expect(await refuse(open(undefined).login, challenge)).toBe(false)
  })

  it.each([
    {
      name: 'refuses it',
      credentials: ann,
      answer: { status: 401, body: 'secret' },
      says: /auth\.example does not accept the login \(401\); log in again: run "docker login ghcr/,
      passing: false,
    },
    {
      name: 'wants one',
      credentials: undefined,
      answer: { status: 401, body: '' },
      says: /it wants a login: run "docker login ghcr\.example"/,
      passing: false,
    },
    {
      name: 'is not well',
      credentials: ann,
      answer: { status: 503, body: '' },
      says: /issuer of tokens, auth\.example, answered 503; try again later/,
      passing: true,
    },
    {
      name: 'says nonsense',
      credentials: ann,
      answer: { body: '<html>' },
      says: /The token for ghcr\.example from auth\.example can't be read/,
      passing: false,
    },
    {
      name: 'has a token that is no header',
      credentials: ann,
      answer: { body: '{"token":"a\\r\\nb: c"}' },
      says: /can't be read/,
      passing: false,
    },
  ])('fails where the issuer $name', async ({ credentials, answer, says, passing }) => {
    const { login } = open(credentials, [answer])
    const error = await refuse(login, CHALLENGE).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ message: expect.stringMatching(says), passing })
    expect(JSON.stringify(error)).not.toContain('secret')
  })
})
