import { describe, expect, it } from '@jest/globals'
import { judgeVerdicts } from './gates.ts'

const verdict = (environment: string, how: string, at: string) => ({
  ...{ environment, verdict: how, at, complete: true },
})
const partial = (how: string) => ({ ...verdict('dev', how, '2'), complete: false })

describe('the gate of an environment', () => {
  it.each([
    { name: 'it passed', verdicts: [verdict('dev', 'pass', '1')], open: true },
    {
      name: 'it failed and then passed',
      verdicts: [verdict('dev', 'fail', '1'), verdict('dev', 'pass', '2')],
      open: true,
    },
    {
      name: 'another environment failed since',
      verdicts: [verdict('dev', 'pass', '1'), verdict('staging', 'fail', '2')],
      open: true,
    },
    {
      name: 'it passed and then failed',
      verdicts: [verdict('dev', 'pass', '1'), verdict('dev', 'fail', '2')],
      open: false,
    },
    {
      name: 'the last look was inconclusive',
      verdicts: [verdict('dev', 'pass', '1'), verdict('dev', 'inconclusive', '2')],
      open: false,
    },
    {
      name: 'only another environment passed',
      verdicts: [verdict('staging', 'pass', '1')],
      open: false,
    },
    {
      name: 'the verdict is in a form nobody knows',
      verdicts: [{ environment: 'dev' }],
      open: false,
    },
    { name: 'only a part of it was looked at', verdicts: [partial('pass')], open: false },
    {
      name: 'it passed and a part of it failed since',
      verdicts: [verdict('dev', 'pass', '1'), partial('fail')],
      open: false,
    },
    { name: 'nobody ever looked', verdicts: [], open: false },
  ])('is open: $open, where $name', ({ verdicts, open }) => {
    expect(judgeVerdicts(verdicts, 'dev').open).toBe(open)
  })

  it('says what to do where it is closed', () => {
    expect(judgeVerdicts([], 'dev').why).toContain('never verified in dev; run verify there first')
    expect(judgeVerdicts([verdict('dev', 'fail', 'noon')], 'dev').why).toContain(
      'its last verdict in dev is "fail" (noon); mend it and verify again',
    )
  })
})
