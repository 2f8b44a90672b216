import { describe, expect, it } from '@jest/globals'
import { aFinding } from '../../tests/fakes/findings.ts'
import { judge, stoppedBy } from './judgement.ts'
import { defaultPolicy, type Ignore, type ScanPolicy } from './policy.ts'
import type { VexStatement } from './vex.ts'

const findings = [
  aFinding({ id: 'CVE-1', severity: 'critical' }),
  aFinding({ id: 'CVE-2', severity: 'high', fixedIn: ['2'] }),
  aFinding({ id: 'CVE-3', severity: 'low', knownExploited: true }),
  aFinding({ id: 'CVE-4', severity: 'low' }),
  aFinding({ id: 'CVE-5', severity: 'unknown' }),
]
const ignore = (id: string, rest: Partial<Ignore> = {}): Ignore => {
  return { id, reason: 'r', owner: 'ann', expires: '2030-01-01', ...rest }
}
const harmless = (id: string): VexStatement => {
  const products = [{ id: 'pkg:npm/p', parts: [] }]
  return { id, aliases: [], status: 'not_affected', why: 'not reachable', products }
}

function run(
  policy: Partial<ScanPolicy>,
  evidence: { vex?: readonly VexStatement[]; baseline?: readonly string[] } = {},
) {
  const { vex = [], baseline } = evidence
  const known = baseline === undefined ? undefined : new Map([['api', new Set(baseline)]])
  const scans = [{ image: 'api', findings }]
  return judge(scans, { ...defaultPolicy, ...policy }, { vex, baseline: known })
}

describe('the gate of a scan', () => {
  it.each([
    { name: 'at or above the threshold, or used in attacks', policy: {}, stops: '1 2 3' },
    { name: 'used in attacks, without a threshold', policy: { threshold: 'none' }, stops: '3' },
    { name: 'that a newer version fixes', policy: { onlyFixed: true }, stops: '2 3' },
    { name: 'that nobody ignores', policy: { ignores: [ignore('CVE-1')] }, stops: '2 3' },
    {
      name: 'by any name of it',
      policy: { ignores: [ignore('GHSA-of-CVE-1')] },
      stops: '2 3',
    },
    {
      name: 'ignored in another image',
      policy: { ignores: [ignore('CVE-1', { images: ['web'] })] },
      stops: '1 2 3',
    },
    {
      name: 'ignored in another package',
      policy: { ignores: [ignore('CVE-1', { packages: ['q'] })] },
      stops: '1 2 3',
    },
    {
      name: 'used in attacks, ignored or not',
      policy: { ignores: [ignore('CVE-3')] },
      stops: '1 2 3',
    },
    {
      name: 'above the threshold of the image',
      policy: { images: { api: { threshold: 'critical' } } },
      stops: '1 3',
    },
    {
      name: 'above the threshold of another image',
      policy: { images: { web: { threshold: 'none' } } },
      stops: '1 2 3',
    },
  ] as const)('is closed by findings $name', ({ policy, stops }) => {
    const stopped = stoppedBy(run(policy)).map(({ finding }) => finding.id.slice(-1))
    expect(stopped.join(' ')).toBe(stops)
  })

  it('lets findings pass that the baseline has, where only new ones count', () => {
    const ids = (policy: Partial<ScanPolicy>) =>
      stoppedBy(run(policy, { baseline: ['CVE-1 p', 'CVE-3 p'] })).map(({ finding }) => finding.id)
    expect(ids({ onlyNew: true })).toEqual(['CVE-2', 'CVE-3'])
    expect(ids({ onlyNew: false })).toEqual(['CVE-1', 'CVE-2', 'CVE-3'])
  })

  it('believes a statement that a vulnerability does no harm, also of one used in attacks', () => {
    const judged = run({}, { vex: [harmless('CVE-1'), harmless('CVE-3')] })
    expect(stoppedBy(judged).map(({ finding }) => finding.id)).toEqual(['CVE-2'])
  })
})

describe('notes about a policy', () => {
  it.each([
    {
      name: 'an ignore that matches nothing',
      policy: { ignores: [ignore('CVE-9')] },
      says: 'CVE-9',
    },
    {
      name: 'an ignore that was overruled',
      policy: { ignores: [ignore('CVE-3')] },
      says: "can't be ignored; update p",
    },
  ])('name $name', ({ policy, says }) => {
    expect(run(policy).notes).toEqual([expect.stringContaining(says)])
  })

  it('name a VEX statement that matches nothing, and nothing else', () => {
    const { notes } = run({ ignores: [ignore('CVE-1')] }, { vex: [harmless('CVE-9')] })
    expect(notes).toEqual(['The VEX statement about CVE-9 matches nothing'])
  })
})
