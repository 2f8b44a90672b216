import { describe, expect, it } from '@jest/globals'
import { aFinding } from '../../tests/fakes/findings.ts'
import { at, listAt, parseJson, textAt } from '../json.ts'
import type { Decision, Judged } from './judgement.ts'
import { sarifOf } from './sarif.ts'

const scanner = { name: 'grype', version: '0.110.0' }
const passes: Decision = { kind: 'passes', why: 'below-threshold' }
const judged = (
  image: string,
  of: Parameters<typeof aFinding>[0],
  decision: Decision = passes,
): Judged => {
  return { image, finding: aFinding(of), decision }
}
const ignored: Decision = {
  kind: 'ignored',
  by: { id: 'CVE-1', reason: 'r', owner: 'ann', expires: '2030-01-01' },
}

function runOf(text: string): unknown {
  return at(parseJson(text, 'sarif'), 'runs', 0)
}

describe('the SARIF of an image', () => {
  it('has the image in category, path and message, and the score that GitHub sorts by', () => {
    const { text, category } = sarifOf('api', [judged('api', { severity: 'critical' })], scanner)
    const run = runOf(text)
    expect(category).toBe('todo-deploy/api')
    expect(textAt(run, 'automationDetails', 'id')).toBe('todo-deploy/api/')
    const result = at(run, 'results', 0)
    expect(textAt(result, 'message', 'text')).toContain('api: critical CVE-1 in p 1.0.0')
    expect(textAt(result, 'locations', 0, 'physicalLocation', 'artifactLocation', 'uri')).toBe(
      'api/app/node_modules/p/package.json',
    )
    const rule = at(run, 'tool', 'driver', 'rules', 0)
    expect(textAt(rule, 'properties', 'security-severity')).toBe('9.5')
  })

  it('leaves out other images, and what was ignored', () => {
    const all = [judged('web', {}), judged('api', { id: 'CVE-2' }), judged('api', {}, ignored)]
    const run = runOf(sarifOf('api', all, scanner).text)
    expect(listAt(run, 'results').map((result) => textAt(result, 'ruleId'))).toEqual(['CVE-2'])
  })

  it('keeps the fingerprint when the version changes, and not when the place does', () => {
    const fingerprint = (of: Parameters<typeof aFinding>[0]) =>
      textAt(
        runOf(sarifOf('api', [judged('api', of)], scanner).text),
        ...['results', 0, 'partialFingerprints', 'todoDeployFinding/v1'],
      )
    expect(fingerprint({ version: '1.0.1' })).toBe(fingerprint({}))
    expect(fingerprint({ location: '/elsewhere' })).not.toBe(fingerprint({}))
  })

  it('drops the last and mildest where there are more than GitHub keeps, and says so', () => {
    const many = Array.from({ length: 5100 }, (_, index) => judged('api', { id: `CVE-${index}` }))
    const { text, dropped } = sarifOf('api', many, scanner)
    const run = runOf(text)
    expect(dropped).toBe(100)
    expect(listAt(run, 'results')).toHaveLength(5000)
    expect(textAt(run, 'results', 0, 'ruleId')).toBe('CVE-0')
    expect(
      textAt(run, 'invocations', 0, 'toolExecutionNotifications', 0, 'message', 'text'),
    ).toContain('100 findings are left out')
  })
})
