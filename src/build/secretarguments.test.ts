import { describe, expect, it } from '@jest/globals'
import { secretArguments } from './secretarguments.ts'

const found = (args: unknown, environment = {}) => secretArguments('api', { args }, environment)

describe('a build argument', () => {
  it.each([
    { name: 'ghp_', value: `ghp_${'a1'.repeat(18)}`, what: 'a token of GitHub' },
    { name: 'AKIA', value: 'AKIAIOSFODNN7EXAMPLE', what: 'an access key of AWS' },
    {
      name: 'BEGIN',
      value: 'x\n-----BEGIN EC PRIVATE KEY-----\nMHc…',
      what: 'a private key',
    },
    {
      name: 'user:password@',
      value: 'postgresql://todo:swordfish@db/todo',
      what: 'an address with a password',
    },
  ])('with $name in it is a secret, whatever it is called', ({ value, what }) => {
    expect(found({ SETTINGS: value })).toEqual([`api: SETTINGS holds ${what}`])
  })

  it('is a secret where a variable that is called one has the same value', () => {
    const environment = { DEPLOY_TOKEN: 'correct horse', LANG: 'C.UTF-8-and-more' }
    expect(found({ PASS: 'x:correct horse' }, environment)).toEqual([
      'api: PASS holds the value of DEPLOY_TOKEN',
    ])
    expect(found({ PASS: 'C.UTF-8-and-more' }, environment)).toEqual([])
  })

  it('may be what it wants otherwise, the settings of a proxy included', () => {
    expect(
      found({
        VERSION: '1.2.3',
        BASE: 'python:3.11-slim@sha256:0123',
        HTTPS_PROXY: 'http://ann:secret@proxy:3128',
        INDEX: 'https://pypi.example/simple',
      }),
    ).toEqual([])
  })

  it('is not repeated in what is said about it', () => {
    expect(found({ A_TOKEN: 'swordfish!', B: 'https://a:swordfish!@c/' }).join()).not.toContain(
      'swordfish',
    )
  })
})
