import { type CommandResult, STATUS } from '../../src/edge/command.ts'
import type { Environment } from '../../src/environments/environments.ts'
import { nameOf } from '../../src/render/manifest.ts'
import { codeBlock, markdownTable } from '../../src/report/markdown.ts'
import type { DeployResult, Outcome } from '../../src/rollout/outcome.ts'

const STATUSES: Readonly<Record<Outcome, number>> = {
  deployed: STATUS.good,
  unchanged: STATUS.good,
  planned: STATUS.good,
  failed: STATUS.failed,
  'rolled-back': STATUS.rolledBack,
  'rollback-failed': STATUS.rollbackFailed,
}

/** What `deploy` says; promote and preview, which deploy too, say it the same way. */
export function reportDeploy(
  result: DeployResult,
  where: { readonly environment: Environment; readonly seconds: number },
): CommandResult {
  const { outcome, release, planHash, message, failure } = result
  const { environment, seconds } = where
  const changes = result.changes.filter(({ action }) => action !== 'unchanged')
  const good = STATUSES[outcome] === STATUS.good
  const details = failure?.details ?? []
  return {
    outputs: { outcome, release, 'plan-hash': planHash, url: environment.url },
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
      changes: changes.map(({ object, action, fields }) => ({
        object: nameOf(object),
        action,
        fields,
      })),
      evidence: failure?.evidence ?? [],
      seconds,
    },
    summary: [
      `## ${good ? '✓' : '✗'} deploy to ${environment.name}: ${outcome}`,
      message,
      environment.url === '' ? '' : `Open ${environment.url}`,
      changes.length === 0
        ? ''
        : markdownTable(
            ['object', 'action'],
            changes.map(({ object, action }) => [nameOf(object), action]),
          ),
      details.length === 0 ? '' : codeBlock(details),
    ]
      .filter((part) => part !== '')
      .join('\n\n'),
    headline: `${environment.name}: ${outcome}. ${message}`,
    status: STATUSES[outcome],
    details: good ? [] : details,
  }
}
