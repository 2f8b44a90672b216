import { describe, expect, it } from '@jest/globals'
import { UserError } from '../errors.ts'
import type { Finding, Severity } from './findings.ts'
import { parseIgnores, violations } from './policy.ts'

const now = new Date('2026-11-21T23:00:00Z')
const entry = 'id: CVE-1, reason: not reachable, owner: ann'

function problemOf(text: string): string {
  try {
    parseIgnores(text, 'policy.yaml', now)
  } catch (error) {
    if (error instanceof UserError) return [error.message, ...error.details].join('\n')
    throw error
  }
  return ''
}

function finding(id: string, severity: Severity): Finding {
  return { id, severity, package: 'p', version: '1', fixedIn: [], location: '' }
}

describe('a policy file', () => {
  it('lets an ignore hold through its last day', () => {
    const text = `ignore: [{ ${entry}, expires: 2026-11-21 }]`
    expect(parseIgnores(text, 'policy.yaml', now)).toEqual([
      { id: 'CVE-1', reason: 'not reachable', owner: 'ann', expires: '2026-11-21' },
    ])
  })

  it.each([
    {
      name: 'an ignore that expired',
      text: `ignore: [{ ${entry}, expires: 2026-11-20 }]`,
      says: 'CVE-1: expired on 2026-11-20',
    },
    {
      name: 'an ignore for ever',
      text: `ignore: [{ ${entry}, expires: never }]`,
      says: 'CVE-1: "never" is no day',
    },
    {
      name: 'an ignore of nobody',
      text: 'ignore: [{ id: CVE-1, reason: r, expires: 2026-12-01 }]',
      says: '(CVE-1) lacks "owner"',
    },
    { name: 'a misspelt key', text: 'ignores: []', says: 'unknown key "ignores"' },
    { name: 'a list', text: '[]', says: 'it needs a list "ignore"' },
    { name: 'broken YAML', text: 'ignore: [', says: 'policy.yaml is not valid YAML' },
  ])('is refused where it has $name', ({ text, says }) => {
    expect(problemOf(text)).toContain(says)
  })

  it('has all of its faults reported at once', () => {
    const problem = problemOf('ignore: [{ id: CVE-1 }, { id: CVE-2, expires: 2020-01-01 }]')
    expect(problem).toContain('6 problems')
  })
})

describe('the gate of a scan', () => {
  const findings = [finding('CVE-1', 'critical'), finding('CVE-2', 'high'), finding('CVE-3', 'low')]
  const ignore = { id: 'CVE-1', reason: 'r', owner: 'ann', expires: '2026-12-01' }

  it.each([
    {
      name: 'at or above the threshold',
      threshold: 'high',
      ignores: [],
      stopped: ['CVE-1', 'CVE-2'],
    },
    { name: 'that nobody ignores', threshold: 'high', ignores: [ignore], stopped: ['CVE-2'] },
    { name: 'of no kind where there is no threshold', threshold: 'none', ignores: [], stopped: [] },
  ] as const)('is closed by findings $name', ({ threshold, ignores, stopped }) => {
    const found = violations(findings, { threshold, ignores })
    expect(found.map(({ id }) => id)).toEqual(stopped)
  })
})
