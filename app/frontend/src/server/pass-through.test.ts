import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { passThrough } from './pass-through.ts'

const TOKEN = 'head.body.signature'

function makeRequest(path: string, init: RequestInit & { duplex?: 'half' } = {}): Request {
  const headers = {
    host: 'todo.test',
    cookie: `theme=dark; todo_session=${TOKEN}`,
    ...init.headers,
  }
  return new Request(`http://todo.test${path}`, { ...init, headers })
}

describe('the pass-through', () => {
  const backend = jest.fn<typeof fetch>()
  const realFetch = globalThis.fetch

  beforeEach(() => {
    process.env.BACKEND_URL = 'http://backend.test/'
    globalThis.fetch = backend
    backend.mockReset().mockResolvedValue(Response.json([{ id: 1 }]))
  })

  afterEach(() => {
    globalThis.fetch = realFetch
    delete process.env.BACKEND_URL
  })

  function getCall(): { url: string; init: RequestInit } {
    const [url, init] = backend.mock.calls[0] ?? []
    if (typeof url !== 'string' || init === undefined) throw new Error('the backend was not asked')
    return { url, init }
  }

  it('asks the backend of the environment, with the token of the cookie', async () => {
    const answer = await passThrough(makeRequest('/api/tasks?status=pending'), ['tasks'])
    expect(getCall().url).toBe('http://backend.test/api/tasks?status=pending')
    expect(getCall().init.headers).toEqual({
      authorization: `Bearer ${TOKEN}`,
      accept: 'application/json',
    })
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual([{ id: 1 }])
  })

  it('sends the body on and no header that the browser made up', async () => {
    const request = makeRequest('/api/tasks', {
      method: 'POST',
      body: '{"title":"buy milk"}',
      headers: { authorization: 'Bearer other', 'x-user-id': 'other', origin: 'http://todo.test' },
    })
    await passThrough(request, ['tasks'])
    expect(new TextDecoder().decode(getCall().init.body as Uint8Array)).toBe('{"title":"buy milk"}')
    expect(getCall().init.headers).not.toHaveProperty('x-user-id')
    expect(getCall().init.headers).toHaveProperty('authorization', `Bearer ${TOKEN}`)
  })

  it('returns the status and the words of a refusal', async () => {
    backend.mockResolvedValue(Response.json({ detail: 'There is no such task.' }, { status: 404 }))
    const answer = await passThrough(makeRequest('/api/tasks/9'), ['tasks', '9'])
    expect(answer.status).toBe(404)
    expect(await answer.json()).toEqual({ detail: 'There is no such task.' })
  })

  it('returns an answer without a body', async () => {
    backend.mockResolvedValue(new Response(null, { status: 204 }))
    const answer = await passThrough(makeRequest('/api/tasks/9', { method: 'DELETE' }), [
      'tasks',
      '9',
    ])
    expect(answer.status).toBe(204)
  })

  it('drops cookies and headers of the backend', async () => {
    const headers = { 'set-cookie': 'inner=1', server: 'inner', 'content-type': 'application/json' }
    backend.mockResolvedValue(new Response('[]', { headers }))
    const answer = await passThrough(makeRequest('/api/tasks'), ['tasks'])
    expect(answer.headers.get('set-cookie')).toBeNull()
    expect(answer.headers.get('server')).toBeNull()
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  it('asks nobody without a session', async () => {
    const request = new Request('http://todo.test/api/tasks')
    expect((await passThrough(request, ['tasks'])).status).toBe(401)
    expect(backend).not.toHaveBeenCalled()
  })

  it('ends a session that the backend does not take any more', async () => {
    backend.mockResolvedValue(Response.json({ detail: 'expired' }, { status: 401 }))
    const answer = await passThrough(makeRequest('/api/tasks'), ['tasks'])
    expect(answer.status).toBe(401)
    expect(answer.headers.get('set-cookie')).toMatch(/^todo_session=;.*Max-Age=0/)
  })

  it('refuses a request of another site', async () => {
    const init = { method: 'POST', body: '{}', headers: { origin: 'http://evil.test' } }
    expect((await passThrough(makeRequest('/api/tasks', init), ['tasks'])).status).toBe(403)
    expect(backend).not.toHaveBeenCalled()
  })

  it.each([['..'], ['.']])('does not leave /api through %s', async (segment) => {
    expect((await passThrough(makeRequest('/api/x'), [segment, 'health'])).status).toBe(404)
    expect(backend).not.toHaveBeenCalled()
  })

  it('encodes what is in a path', async () => {
    await passThrough(makeRequest('/api/tasks/x'), ['tasks', '../../health?x#y'])
    expect(getCall().url).toBe('http://backend.test/api/tasks/..%2F..%2Fhealth%3Fx%23y')
  })

  it('refuses a body that is too large', async () => {
    const init = { method: 'POST', body: 'x'.repeat(64 * 1024 + 1) }
    expect((await passThrough(makeRequest('/api/tasks', init), ['tasks'])).status).toBe(413)
    expect(backend).not.toHaveBeenCalled()
  })

  it('says in words that the backend is away, without its address', async () => {
    backend.mockRejectedValue(new TypeError('connect ECONNREFUSED backend.test'))
    const answer = await passThrough(makeRequest('/api/tasks'), ['tasks'])
    expect(answer.status).toBe(502)
    expect(await answer.text()).not.toContain('backend.test')
  })
})
