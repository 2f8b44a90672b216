import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { describeFinding, type Finding, type Severity } from './findings.ts'
import type { Judged } from './judgement.ts'

export type Sarif = {
  readonly image: string
  /** Stays the same from run to run, without tag or commit, so that code scanning closes what was fixed. */
  readonly category: string
  readonly text: string
  /** Findings left out, because GitHub takes no more. */
  readonly dropped: number
}

/** GitHub keeps this many results of a run, the worst by its own order: more would be lost without a word. */
const MAX_RESULTS = 5000
/** GitHub refuses an upload that is larger than this when compressed, in bytes. */
const MAX_GZIP = 10 * 1024 * 1024

/** GitHub's `security-severity` where no CVSS score is known: the middle of its range for the severity. */
const SCORES: Readonly<Record<Severity, number>> = {
  critical: 9.5,
  high: 8,
  medium: 5.5,
  low: 2.5,
  negligible: 0.5,
  unknown: 0.1,
}

/**
 * Findings of one image as SARIF 2.1.0 for code scanning. It decides nothing: what was ignored or does no harm is left out, everything
 * else is in it, whether it stopped the release or not. `judged` is worst first; too many are cut from the end.
 */
export function sarifOf(
  image: string,
  judged: readonly Judged[],
  scanner: { readonly name: string; readonly version: string },
): Sarif {
  const shown = judged.filter(
    ({ image: of, decision }) =>
      of === image && (decision.kind === 'stops' || decision.kind === 'passes'),
  )
  const category = `todo-deploy/${image}`
  for (let count = Math.min(shown.length, MAX_RESULTS); ; count = Math.floor(count / 2)) {
    const dropped = shown.length - count
    const findings = shown.slice(0, count).map(({ finding }) => finding)
    const text = JSON.stringify(describeRun(findings, { image, category, dropped, scanner }))
    if (count === 0 || gzipSync(text).length <= MAX_GZIP) return { image, category, text, dropped }
  }
}

function describeRun(
  findings: readonly Finding[],
  run: {
    readonly image: string
    readonly category: string
    readonly dropped: number
    readonly scanner: { readonly name: string; readonly version: string }
  },
): unknown {
  const { image, category, dropped, scanner } = run
  const rules = [...new Map(findings.map((finding) => [finding.id, finding])).values()]
  const left = `${dropped} findings are left out, the least severe ones: GitHub takes no more`
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        automationDetails: { id: `${category}/` },
        tool: { driver: { ...scanner, rules: rules.map(ruleOf) } },
        results: findings.map((finding) => resultOf(finding, image)),
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications:
              dropped === 0 ? [] : [{ level: 'warning', message: { text: left } }],
          },
        ],
      },
    ],
  }
}

function ruleOf(finding: Finding): unknown {
  const { id, aliases, description, url, severity, score } = finding
  const names = [id, ...aliases].join(', ')
  return {
    id,
    shortDescription: { text: description === '' ? names : `${names}: ${description}` },
    ...(url === '' ? {} : { helpUri: url }),
    help: { text: describeFinding(finding) },
    properties: {
      'security-severity': (score ?? SCORES[severity]).toFixed(1),
      tags: ['security', ...(finding.knownExploited ? ['known-exploited'] : [])],
    },
  }
}

function resultOf(finding: Finding, image: string): unknown {
  const { id, location } = finding
  const path = location.replace(/^\/+/, '') || finding.package
  return {
    ruleId: id,
    level: levelOf(finding),
    message: { text: `${image}: ${describeFinding(finding)}` },
    locations: [
      {
        physicalLocation: {
          // The image comes first, so that people see in a list which one it is.
          artifactLocation: { uri: encodeURI(`${image}/${path}`) },
          region: { startLine: 1 },
        },
      },
    ],
    partialFingerprints: { 'todoDeployFinding/v1': fingerprint(finding, image) },
  }
}

/** Without the version: an update that does not help is the same alert. */
function fingerprint(finding: Finding, image: string): string {
  const text = [image, finding.id, finding.package, finding.location].join('\n')
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

function levelOf({ severity, knownExploited }: Finding): 'error' | 'warning' | 'note' {
  if (knownExploited || severity === 'critical' || severity === 'high') return 'error'
  return severity === 'medium' ? 'warning' : 'note'
}
