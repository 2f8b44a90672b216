import { type CommandResult, STATUS } from '../../src/edge/command.ts'
import { PAGE_FILE } from '../../src/edge/refused.ts'
import { junit } from '../../src/report/junit.ts'
import { markdownTable } from '../../src/report/markdown.ts'
import type { Step } from '../../src/report/steps.ts'
import type { Verdict } from '../../src/verify/verify.ts'
import { verdictPage } from './page.ts'

const MARKS = { pass: '✓', fail: '✗', inconclusive: '?' } as const

/** What `verify` says: the verdict, a `verdict.v1` report, JUnit, a page and a summary. */
export function reportVerdict(verdict: Verdict, steps: readonly Step[]): CommandResult {
  const { checks, environment } = verdict
  const bad = checks.filter(({ status }) => status !== 'pass')
  const count = `${checks.length - bad.length} of ${checks.length} checks passed`
  const first = bad[0]
  const cause = first === undefined ? '' : `. ${first.check}: ${first.name}: ${first.detail}`
  return {
    outputs: { verdict: verdict.verdict },
    report: { kind: 'verdict', ...verdict },
    summary: [
      `## ${MARKS[verdict.verdict]} verify ${environment}: ${verdict.verdict}`,
      `${count}, release \`${verdict.release}\``,
      markdownTable(
        ['', 'check', 'what', 'seen'],
        checks.map(({ status, check, name, detail }) => [MARKS[status], check, name, detail]),
      ),
    ].join('\n\n'),
    headline: `${environment}: ${verdict.verdict}, ${count}${cause}`,
    status: verdict.verdict === 'pass' ? STATUS.good : STATUS.failed,
    details: bad.map(
      ({ status, check, name, detail }) => `${MARKS[status]} ${check}: ${name}: ${detail}`,
    ),
    files: {
      junit: { name: 'junit.xml', content: junit(verdict) },
      'report-page': { name: PAGE_FILE, content: verdictPage(verdict, steps) },
    },
  }
}
