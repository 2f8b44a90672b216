import { describe, expect, it } from '@jest/globals'
import { isFromOurPages, readEmail, readToken } from './session.ts'

function makeRequest(headers: Record<string, string>): Request {
  return new Request('http://todo.test/', { headers })
}

function makeToken(claims: unknown): string {
  return `head.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.signature`
}

describe('the token in the cookie', () => {
  it.each([
    { name: 'alone', cookie: 'todo_session=a.b.c', token: 'a.b.c' },
    { name: 'among others', cookie: 'x=1; todo_session=a.b.c; y=2', token: 'a.b.c' },
    { name: 'empty', cookie: 'todo_session=', token: undefined },
    { name: 'under another name', cookie: 'not_todo_session=a.b.c', token: undefined },
  ])('is read: $name', ({ cookie, token }) => {
    expect(readToken(makeRequest({ cookie }))).toBe(token)
  })

  it('is missing without cookies', () => {
    expect(readToken(makeRequest({}))).toBeUndefined()
  })
})

describe('the e-mail of a token', () => {
  it('is shown', () => {
    expect(readEmail(makeToken({ email: 'ada@example.org' }))).toBe('ada@example.org')
  })

  it.each(['', 'rubbish', 'a.b.c', makeToken({}), makeToken({ email: 7 }), makeToken(null)])(
    'is missing in %p',
    (token) => {
      expect(readEmail(token)).toBeUndefined()
    },
  )
})

describe('where a request comes from', () => {
  it.each([
    { name: 'no browser', headers: { host: 'todo.test' }, expected: true },
    {
      name: 'our page',
      headers: { host: 'todo.test:3000', origin: 'http://todo.test:3000' },
      expected: true,
    },
    {
      name: 'our page behind a proxy',
      headers: {
        host: 'frontend-service:3000',
        'x-forwarded-host': 'todo.test',
        origin: 'https://todo.test',
      },
      expected: true,
    },
    {
      name: 'another site',
      headers: { host: 'todo.test', origin: 'http://evil.test' },
      expected: false,
    },
    { name: 'a sandboxed frame', headers: { host: 'todo.test', origin: 'null' }, expected: false },
  ])('$name', ({ headers, expected }) => {
    expect(isFromOurPages(makeRequest(headers as unknown as Record<string, string>))).toBe(expected)
  })
})
