import { describe, expect, it } from '@jest/globals'
import { hasPassword, hideUserinfo } from './userinfo.ts'

describe('the login in an address', () => {
  it.each([
    [
      'https://ann:ghp_secret@github.com/acme/todo.git#main',
      'https://***@github.com/acme/todo.git#main',
    ],
    [
      'see git+https://ghp_secret@host/x, then ftp://a:b@c',
      'see git+https://***@host/x, then ftp://***@c',
    ],
    ['https://github.com/acme/todo@v1', 'https://github.com/acme/todo@v1'],
    ['registry.example/todo/api@sha256:abc', 'registry.example/todo/api@sha256:abc'],
    ['mail ann@example.org', 'mail ann@example.org'],
  ])('is hidden in %s', (text, shown) => {
    expect(hideUserinfo(text)).toBe(shown)
  })

  it('is a secret where it has a password', () => {
    expect(hasPassword('postgresql://todo:swordfish@db/todo')).toBe(true)
    expect(hasPassword('ssh://git@github.com/acme/todo')).toBe(false)
    expect(hasPassword('https://example.org:8443/x@y')).toBe(false)
  })
})
