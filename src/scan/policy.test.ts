import { describe, expect, it } from '@jest/globals'
import { UserError } from '../errors.ts'
import { defaultPolicy, parsePolicy } from './policy.ts'

const now = new Date('2026-11-21T23:00:00Z')
const entry = 'id: CVE-1, reason: not reachable, owner: ann'

function problemOf(text: string): string {
  try {
    parsePolicy(text, 'policy.yaml', now)
  } catch (error) {
    if (error instanceof UserError) return [error.message, ...error.details].join('\n')
    throw error
  }
  return ''
}

describe('a policy file', () => {
  it('means the default where it is empty', () => {
    expect(parsePolicy('', 'policy.yaml', now)).toEqual(defaultPolicy)
  })

  it('lets an ignore hold through its last day', () => {
    const text = `ignore: [{ ${entry}, expires: '2026-11-21' }]`
    expect(parsePolicy(text, 'policy.yaml', now).ignores).toEqual([
      { id: 'CVE-1', reason: 'not reachable', owner: 'ann', expires: '2026-11-21' },
    ])
  })

  it('has limits of its own for an image', () => {
    const text = 'threshold: medium\nimages: { api: { threshold: critical, only-fixed: true } }'
    const policy = parsePolicy(text, 'policy.yaml', now)
    expect(policy.threshold).toBe('medium')
    expect(policy.images).toEqual({ api: { threshold: 'critical', onlyFixed: true } })
  })

  it.each([
    {
      name: 'an ignore that expired',
      text: `ignore: [{ ${entry}, expires: '2026-11-20' }]`,
      says: 'CVE-1: expired on 2026-11-20; fix it, or let ann decide again',
    },
    {
      name: 'an ignore for ever',
      text: `ignore: [{ ${entry}, expires: never }]`,
      says: '/ignore/0/expires must match pattern',
    },
    {
      name: 'an ignore until a day that no month has',
      text: `ignore: [{ ${entry}, expires: '2026-12-99' }]`,
      says: 'CVE-1: "2026-12-99" is no day',
    },
    {
      name: 'an ignore of nobody',
      text: "ignore: [{ id: CVE-1, reason: r, expires: '2026-12-01' }]",
      says: "/ignore/0 must have required property 'owner'",
    },
    {
      name: 'a misspelt key',
      text: 'ignores: []',
      says: 'the policy must NOT have additional properties ("ignores")',
    },
    {
      name: 'a severity that is none',
      text: 'images: { api: { threshold: bad } }',
      says: '/images/api/threshold must be equal to one of the allowed values (["critical"',
    },
    { name: 'a list', text: '[]', says: 'the policy must be object' },
    { name: 'broken YAML', text: 'ignore: [', says: 'policy.yaml: not valid YAML' },
  ])('is refused where it has $name', ({ text, says }) => {
    expect(problemOf(text)).toContain(says)
  })

  it('has all of its faults reported at once', () => {
    const text = 'ignore: [{ id: CVE-1 }]\nthreshold: worst\nvex: []'
    expect(problemOf(text)).toContain('5 problems')
  })
})
