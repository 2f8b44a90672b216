import { type CommandResult, STATUS } from '../../src/edge/command.ts'
import { PAGE_FILE, type Past, refusedResult } from '../../src/edge/refused.ts'
import { ganttOf, isEmpty } from '../../src/report/gantt.ts'
import { codeBlock, markdownTable } from '../../src/report/markdown.ts'
import type { Section } from '../../src/report/page.ts'
import type { DeployResult, Outcome } from '../../src/rollout/outcome.ts'
import { planLines } from '../../src/rollout/preflight/plan.ts'
import { type Circumstances, type DeployReport, describeDeploy, plannedOf } from './deployreport.ts'
import type { EvidenceText } from './evidencetexts.ts'
import { deployPage } from './page.ts'

const STATUSES: Readonly<Record<Outcome, number>> = {
  deployed: STATUS.good,
  unchanged: STATUS.good,
  planned: STATUS.good,
  committed: STATUS.good,
  failed: STATUS.failed,
  inconclusive: STATUS.failed,
  'rolled-back': STATUS.rolledBack,
  'rollback-failed': STATUS.rollbackFailed,
}

/** What a page has besides the report. */
export type PageExtras = {
  /** The command that deployed: `deploy`, `promote` or `preview`. */
  readonly about?: string
  readonly texts?: readonly EvidenceText[]
  /** Sections of its own, which come first. */
  readonly sections?: readonly Section[]
}

/** What `deploy` says; promote and preview, which deploy too, say it the same way. */
export function reportDeploy(
  result: DeployResult,
  how: Circumstances,
  extras: PageExtras = {},
): CommandResult {
  const report = describeDeploy(result, how)
  const { outcome, release, planHash, message, environment, url } = report
  const good = STATUSES[outcome] === STATUS.good
  const details = result.failure?.details ?? []
  return {
    outputs: {
      ...{ outcome, release, 'plan-hash': planHash, commit: report.commit ?? '', url },
      cause: report.cause ?? '',
      evidence: hasFiles(report) ? (how.evidenceFolder ?? '') : '',
    },
    report,
    summary: summaryOf(report, { isGood: good, details }),
    headline: `${environment}: ${outcome}. ${message}`,
    status: STATUSES[outcome],
    details: good ? [] : details,
    files: { 'report-page': { name: PAGE_FILE, content: deployPage(report, extras) } },
  }
}

/** A deploy that was refused, or that ended by a fault that is no rollout's. */
export function reportRefusedDeploy(error: unknown, past: Past, about = 'deploy'): CommandResult {
  const hasBegun = past.steps.some(({ title }) => title.startsWith('Roll out '))
  const consequence = hasBegun
    ? 'Objects may have been written. The next deploy takes over where this one has ended.'
    : 'Nothing was written to the cluster.'
  return refusedResult(error, { about, consequence }, past)
}

/** Markdown for the job summary: what happened, what changed, what may go wrong, why it failed, and when what came. */
function summaryOf(
  report: DeployReport,
  { isGood, details }: { readonly isGood: boolean; readonly details: readonly string[] },
): string {
  const { outcome, message, planHash, warnings, environment, url, timeline } = report
  const changes = plannedOf(report)
  return [
    `## ${isGood ? '✓' : '✗'} deploy to ${environment}: ${outcome}`,
    message,
    url === '' ? '' : `Open ${url}`,
    changes.length === 0
      ? ''
      : markdownTable(
          ['object', 'action'],
          changes.map(({ object, action }) => [object, action]),
        ),
    changes.every(({ fields }) => fields.length === 0)
      ? ''
      : folded('What changes', planLines({ hash: planHash, changes })),
    warnings.length === 0 ? '' : folded('What may lose requests', warnings),
    details.length === 0 ? '' : codeBlock(details),
    timeline === null || isEmpty(timeline)
      ? ''
      : `<details><summary>Timeline</summary>\n\n\`\`\`mermaid\n${ganttOf(timeline)}\n\`\`\`\n\n</details>`,
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function folded(title: string, lines: readonly string[]): string {
  return `<details><summary>${title}</summary>\n\n${codeBlock(lines)}\n\n</details>`
}

function hasFiles({ evidence }: DeployReport): boolean {
  return evidence.some(({ files = [] }) => files.length > 0)
}
