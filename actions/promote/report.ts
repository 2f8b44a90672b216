import { type CommandResult, STATUS } from '../../src/edge/command.ts'
import type { Promotion } from '../../src/promote/promote.ts'
import type { EnvironmentStatus } from '../../src/promote/status.ts'
import { markdownTable } from '../../src/report/markdown.ts'
import { reportDeploy } from '../deploy/report.ts'

/** What `promote` says: the deploy's words, the gates and the record. */
export function reportPromotion(promotion: Promotion, seconds: number): CommandResult {
  const { record, recordDigest, environment } = promotion
  const deployed = reportDeploy(promotion.deploy, { environment, seconds })
  return {
    ...deployed,
    outputs: { outcome: record.outcome, record: recordDigest },
    report: {
      kind: 'promotion',
      ...record,
      record: recordDigest,
      url: environment.url,
      message: promotion.deploy.message,
      seconds,
    },
    summary: [
      `## promote ${record.from} → ${record.to}`,
      ...record.gates.map((gate) => `- ${gate.open ? '✓' : '✗'} ${gate.name}: ${gate.why}`),
      deployed.summary,
    ].join('\n\n'),
  }
}

/** What runs where. */
export function reportStatus(environments: readonly EnvironmentStatus[]): CommandResult {
  const rows = environments.map(({ name, release, verdict, since, url, underway }) => [
    name,
    release === '' ? 'nothing' : release,
    verdict,
    since,
    underway,
    url,
  ])
  return {
    outputs: { outcome: 'status', record: '' },
    report: { kind: 'status', version: 1, environments },
    summary: [
      '## What runs where',
      markdownTable(['environment', 'release', 'verdict', 'since', 'under way', 'url'], rows),
    ].join('\n\n'),
    headline: rows
      .map(([name, release, verdict]) => `${name ?? ''}: ${release ?? ''} ${verdict ?? ''}`.trim())
      .join('\n'),
    status: STATUS.good,
  }
}
