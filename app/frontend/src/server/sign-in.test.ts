import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { changeSession } from './sign-in.ts'

const USER = { id: '1', email: 'ada@example.org' }

function makeRequest(headers: Record<string, string> = {}): Request {
  return new Request('http://todo.test/api/auth/sign-in', {
    method: 'POST',
    body: JSON.stringify({ email: USER.email, password: 'a good password' }),
    headers: { host: 'todo.test', ...headers },
  })
}

describe('the session', () => {
  const backend = jest.fn<typeof fetch>()
  const realFetch = globalThis.fetch

  beforeEach(() => {
    globalThis.fetch = backend
    backend.mockReset().mockResolvedValue(Response.json({ token: 'a.b.c', user: USER }))
  })

  afterEach(() => {
    globalThis.fetch = realFetch
  })

  it('puts the token into a cookie that scripts cannot read, and nowhere else', async () => {
    const answer = await changeSession(makeRequest(), 'sign-in')
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ user: USER })
    expect(answer.headers.get('set-cookie')).toBe(
      'todo_session=a.b.c; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200',
    )
  })

  it('marks the cookie Secure behind HTTPS', async () => {
    const answer = await changeSession(makeRequest({ 'x-forwarded-proto': 'https' }), 'sign-in')
    expect(answer.headers.get('set-cookie')).toMatch(/; Secure$/)
  })

  it('keeps the status of a sign-up', async () => {
    backend.mockResolvedValue(Response.json({ token: 'a.b.c', user: USER }, { status: 201 }))
    expect((await changeSession(makeRequest(), 'sign-up')).status).toBe(201)
  })

  it('passes a refusal on and sets no cookie', async () => {
    backend.mockResolvedValue(Response.json({ detail: 'not right' }, { status: 401 }))
    const answer = await changeSession(makeRequest(), 'sign-in')
    expect(answer.status).toBe(401)
    expect(await answer.json()).toEqual({ detail: 'not right' })
    expect(answer.headers.get('set-cookie')).toBeNull()
  })

  it('takes no answer without a token', async () => {
    backend.mockResolvedValue(Response.json({ user: USER }))
    expect((await changeSession(makeRequest(), 'sign-in')).status).toBe(502)
  })

  it('signs out without asking anybody', async () => {
    const answer = await changeSession(makeRequest(), 'sign-out')
    expect(answer.headers.get('set-cookie')).toMatch(/^todo_session=;.*Max-Age=0/)
    expect(backend).not.toHaveBeenCalled()
  })

  it('refuses another site and unknown actions', async () => {
    const foreign = makeRequest({ origin: 'http://evil.test' })
    expect((await changeSession(foreign, 'sign-in')).status).toBe(403)
    expect((await changeSession(makeRequest(), 'become-admin')).status).toBe(404)
    expect(backend).not.toHaveBeenCalled()
  })
})
