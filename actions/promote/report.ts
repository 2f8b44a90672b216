import { type CommandResult, STATUS } from '../../src/edge/command.ts'
import type { Past } from '../../src/edge/refused.ts'
import type { Promotion } from '../../src/promote/promote.ts'
import type { EnvironmentStatus } from '../../src/promote/status.ts'
import { markdownTable } from '../../src/report/markdown.ts'
import { markup } from '../../src/report/markup.ts'
import { type Section, table } from '../../src/report/page.ts'
import type { EvidenceText } from '../deploy/evidencetexts.ts'
import { reportDeploy } from '../deploy/report.ts'

/** How a promotion ran, and what was written about a failure of it. */
export type PromotionPast = Past & {
  readonly evidenceFolder?: string | undefined
  readonly texts?: readonly EvidenceText[]
}

/** What `promote` says: the deploy's words, the gates and the record. */
export function reportPromotion(promotion: Promotion, past: PromotionPast): CommandResult {
  const { record, recordDigest, environment } = promotion
  const deployed = reportDeploy(
    promotion.deploy,
    { environment, ...past },
    { about: 'promote', texts: past.texts ?? [], sections: [gatesSection(record)] },
  )
  return {
    ...deployed,
    outputs: { outcome: record.outcome, record: recordDigest },
    report: {
      kind: 'promotion',
      ...record,
      record: recordDigest,
      url: environment.url,
      message: promotion.deploy.message,
      seconds: past.seconds,
    },
    summary: [
      `## promote ${record.from} → ${record.to}`,
      ...record.gates.map((gate) => `- ${gate.open ? '✓' : '✗'} ${gate.name}: ${gate.why}`),
      deployed.summary,
    ].join('\n\n'),
  }
}

function gatesSection({ from, to, actor, reason, gates }: Promotion['record']): Section {
  const rows = gates.map(({ open, name, why }) => [
    markup`<b>${open ? '✓ open' : '✗ closed'}</b>`,
    markup`<span class="any">${name}</span>`,
    markup`<span class="any">${why}</span>`,
  ])
  const because = reason === '' ? '' : ` Reason: ${reason}`
  return {
    title: 'Gates',
    lead: `${from} → ${to}, by ${actor}.${because}`,
    body: table({ head: ['state', 'gate', 'why'], rows }),
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
