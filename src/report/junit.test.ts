import { describe, expect, it } from '@jest/globals'
import type { CheckResult } from '../verify/check.ts'
import { junit } from './junit.ts'

const check = (name: string, status: CheckResult['status'], detail = ''): CheckResult => ({
  ...{ check: 'http', name, status, detail, seconds: 0.5 },
})

function report(...checks: readonly CheckResult[]): string {
  return junit({
    version: 1,
    release: 'r',
    environment: 'dev & <test>',
    namespace: 'todo-dev',
    profile: 'smoke',
    complete: true,
    verdict: 'fail',
    checks,
    at: '2026-11-21T12:00:00Z',
    seconds: 2,
  })
}

describe('a JUnit report', () => {
  it('tells a failure from what could not be found out', () => {
    const text = report(
      check('a', 'pass'),
      check('b', 'fail', 'no'),
      check('c', 'inconclusive', '?'),
    )
    expect(text).toContain('tests="3" failures="1" errors="1" time="2.000"')
    expect(text).toContain('name="a" time="0.500"/>')
    expect(text).toContain('<failure message="no"/>')
    expect(text).toContain('<error message="?"/>')
  })

  it('stays XML whatever a check saw', () => {
    const text = report(check('"quoted" <b>', 'fail', 'a & b\u001b[31m\u0000 < c'))
    expect(text).toContain('name="verify dev &amp; &lt;test&gt;"')
    expect(text).toContain('name="&quot;quoted&quot; &lt;b&gt;"')
    expect(text).toContain('message="a &amp; b[31m &lt; c"')
  })
})
