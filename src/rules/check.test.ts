import { describe, expect, it } from '@jest/globals'
import { objectOf } from '../../tests/fakes/manifests.ts'
import { ALLOW, checkManifests, RULES } from './check.ts'

const secret = (annotations: Readonly<Record<string, string>> = {}) =>
  objectOf('Secret', 'a', { metadata: { annotations } })
const allow = (rule: string) => `${ALLOW}${rule}`

describe('the check of manifests', () => {
  it('tells every violation, sorted by object, rule and path', () => {
    const { violations } = checkManifests([objectOf('Secret', 'b'), secret()])
    expect(violations.map(({ object, path }) => `${object} ${path}`)).toEqual(
      ['a', 'b'].flatMap((name) =>
        ['component', 'name', 'part-of'].map(
          (label) => `Secret todo/${name} metadata.labels["app.kubernetes.io/${label}"]`,
        ),
      ),
    )
  })

  it('takes an exception for one object and one rule, with its reason', () => {
    const reason = 'another tool reads it'
    const { violations, allowed } = checkManifests([secret({ [allow('labels')]: reason })])
    expect(violations).toEqual([])
    expect(allowed.map((entry) => entry.reason)).toEqual([reason, reason, reason])
  })

  it.each([
    { name: 'without a reason', rule: 'labels', reason: ' ', says: 'say why this is allowed' },
    { name: 'from no rule', rule: 'lables', reason: 'x', says: 'there is no rule "lables"' },
    { name: 'that is not needed', rule: 'probes', reason: 'x', says: 'nothing left to allow' },
  ])('refuses an exception $name', ({ rule, reason, says }) => {
    const { violations } = checkManifests([secret({ [allow(rule)]: reason })])
    const found = violations.filter((violation) => violation.rule === 'exceptions')
    expect(found.map(({ message }) => message)).toEqual([expect.stringContaining(says)])
  })

  it('knows each rule by a name of its own that fits into an annotation', () => {
    const names = RULES.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(name).toMatch(/^[a-z]([a-z-]{0,40}[a-z])?$/)
  })
})
