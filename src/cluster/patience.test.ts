import { describe, expect, it } from '@jest/globals'
import { isPassingAnswer, isPassingError, pauseAfter, readRetryAfter } from './patience.ts'

describe('an answer', () => {
  it.each([
    { name: 'too many requests', status: 429, text: '', is: true },
    { name: 'a server that starts', status: 503, text: '', is: true },
    { name: 'an etcd that is slow', status: 500, text: 'etcdserver: request timed out', is: true },
    { name: 'rights that are not read yet', status: 403, text: 'RBAC: role not found', is: true },
    { name: 'a right that is missing', status: 403, text: 'pods is forbidden', is: false },
    {
      name: 'a webhook that does not answer',
      ...{ status: 500, text: 'failed calling webhook "x": context deadline exceeded', is: false },
    },
    { name: 'a conflict', status: 409, text: '', is: false },
    { name: 'what is not there', status: 404, text: '', is: false },
  ])('is asked for again ($is): $name', ({ status, text, is }) => {
    expect(isPassingAnswer({ status, text })).toBe(is)
  })

  it('of a missing right is asked for again while the server may not have loaded its rules', () => {
    const text = 'secrets "a" is forbidden: User "me" cannot get resource "secrets"'
    expect(isPassingAnswer({ status: 403, text }, true)).toBe(true)
    expect(isPassingAnswer({ status: 403, text }, false)).toBe(false)
    expect(isPassingAnswer({ status: 403, text: 'violates PodSecurity' }, true)).toBe(false)
  })
})

describe('an error', () => {
  const withCode = (code: string) => Object.assign(new Error('of the network'), { code })
  const timeout = new Error('aborted', { cause: new DOMException('late', 'TimeoutError') })
  it.each([
    { name: 'a connection that was reset', error: withCode('ECONNRESET'), is: true },
    { name: 'a server that is away', error: withCode('ECONNREFUSED'), is: true },
    { name: 'an answer that took too long', error: timeout, is: true },
    { name: 'a name that is unknown', error: withCode('ENOTFOUND'), is: false },
    { name: 'a wrong certificate', error: withCode('DEPTH_ZERO_SELF_SIGNED_CERT'), is: false },
  ])('is tried again ($is): $name', ({ error, is }) => {
    expect(isPassingError(error)).toBe(is)
  })
})

describe('the pause before the next try', () => {
  it('grows, and ends growing', () => {
    expect(pauseAfter(1)).toBeLessThan(300)
    expect(pauseAfter(9)).toBeGreaterThan(3_000)
    expect(pauseAfter(99)).toBeLessThan(7_000)
  })

  it.each([
    { header: undefined, wait: 0 },
    { header: '2', wait: 2_000 },
    { header: '86400', wait: 15_000 },
    { header: 'tomorrow', wait: 0 },
  ])('is what the server asks for, within reason: $header', ({ header, wait }) => {
    expect(readRetryAfter(header)).toBe(wait)
  })
})
