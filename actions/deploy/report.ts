import { type CommandResult, STATUS } from '../../src/edge/command.ts'
import type { Environment } from '../../src/environments/environments.ts'
import type { Change } from '../../src/cluster/changes.ts'
import { nameOf } from '../../src/render/manifest.ts'
import { ganttOf, isEmpty } from '../../src/report/gantt.ts'
import { codeBlock, markdownTable } from '../../src/report/markdown.ts'
import type { DeployResult, Outcome } from '../../src/rollout/outcome.ts'
import { type PlannedChange, planLines } from '../../src/rollout/preflight/plan.ts'

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

/** What `deploy` says; promote and preview, which deploy too, say it the same way. */
export function reportDeploy(
  result: DeployResult,
  where: {
    readonly environment: Environment
    readonly seconds: number
    /** Where the evidence of a failure was written. */
    readonly evidenceFolder?: string | undefined
  },
): CommandResult {
  const { outcome, release, planHash, message, failure } = result
  const { environment, seconds } = where
  const changes = result.plan?.changes ?? result.changes.flatMap(plainChange)
  const warnings = result.warnings ?? []
  const good = STATUSES[outcome] === STATUS.good
  const details = failure?.details ?? []
  return {
    outputs: {
      ...{ outcome, release, 'plan-hash': planHash },
      ...{ commit: result.commit ?? '', url: environment.url },
      ...{
        cause: failure?.rolloutCause?.code ?? '',
        evidence: hasFiles(result) ? (where.evidenceFolder ?? '') : '',
      },
    },
    report: {
      kind: 'deploy',
      version: 1,
      outcome,
      release,
      planHash,
      environment: environment.name,
      namespace: environment.namespace,
      url: environment.url,
      message,
      cause: failure?.rolloutCause?.code ?? null,
      changes: changes.map(({ object, action, fields, taken }) => ({
        ...{ object, action, taken },
        fields: fields.map(({ path }) => path),
        values: fields.map(({ path, before = null, after = null }) => ({ path, before, after })),
      })),
      warnings,
      commit: result.commit ?? null,
      ...{ strategy: environment.strategy.type, timeline: result.timeline ?? null },
      evidence: failure?.evidence ?? [],
      seconds,
    },
    summary: summaryOf(result, { environment, changes, isGood: good }),
    headline: `${environment.name}: ${outcome}. ${message}`,
    status: STATUSES[outcome],
    details: good ? [] : details,
  }
}

/** Markdown for the job summary: what happened, what changed, what may go wrong, why it failed, and when what came. */
function summaryOf(
  result: DeployResult,
  on: {
    readonly environment: Environment
    readonly changes: readonly PlannedChange[]
    readonly isGood: boolean
  },
): string {
  const { outcome, message, planHash, warnings = [], failure } = result
  const { environment, changes, isGood } = on
  const details = failure?.details ?? []
  return [
    `## ${isGood ? '✓' : '✗'} deploy to ${environment.name}: ${outcome}`,
    message,
    environment.url === '' ? '' : `Open ${environment.url}`,
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
    diagramOf(result),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** Where there is no plan: names of fields, without values. */
function plainChange({ object, action, fields }: Change): readonly PlannedChange[] {
  if (action === 'unchanged') return []
  const paths = fields.map((path) => ({ path, before: undefined, after: undefined }))
  return [{ object: nameOf(object), action, fields: paths, taken: [] }]
}

/** When its pods came and its requests went elsewhere; GitHub draws it. */
function diagramOf({ timeline }: DeployResult): string {
  if (timeline === undefined || isEmpty(timeline)) return ''
  return `<details><summary>Timeline</summary>\n\n\`\`\`mermaid\n${ganttOf(timeline)}\n\`\`\`\n\n</details>`
}

function folded(title: string, lines: readonly string[]): string {
  return `<details><summary>${title}</summary>\n\n${codeBlock(lines)}\n\n</details>`
}

function hasFiles({ failure }: DeployResult): boolean {
  return failure?.evidence.some(({ files = [] }) => files.length > 0) === true
}
