import { bytes, codeBlock, codeSpan, markdownTable, plainText } from '../../src/report/markdown.ts'
import { stepsDiagram } from '../../src/report/mermaid.ts'
import { fitSummary, type SummaryPart } from '../../src/report/summary.ts'
import { type FindingCounts, SEVERITIES, type Severity } from '../../src/scan/findings.ts'
import { baseRows } from './bases.ts'
import { type BuildReport, type JudgedFinding, verdictOf } from './buildreport.ts'
import { changeOf, groupFindings, originInWords, whyInWords } from './words.ts'

/** Pictures that Markdown has by itself: one square for so many findings. */
const SQUARES: Readonly<Record<Severity, string>> = {
  critical: '🟥',
  high: '🟧',
  medium: '🟨',
  low: '🟦',
  negligible: '⬜',
  unknown: '🟪',
}
const MOST_SQUARES = 24
const PAGE = 'the page `report.html` (output `report-page`)'

/** The report of `build-images` for the job summary: the verdict, then tables, then pictures, then all the rest. */
export function buildSummary(report: BuildReport, limit?: number): string {
  const { outcome, release, notes, steps, database, verification } = report
  const mark = outcome === 'stopped' ? '✗' : '✓'
  const of = (decision: JudgedFinding['decision']) =>
    report.judged.filter((one) => one.decision === decision)
  const parts: readonly SummaryPart[] = [
    { head: `## ${mark} ${plainText(verdictOf(report))}` },
    { head: release === null ? '' : `Release ${codeSpan(release)}` },
    findingsPart('These stop the release', of('stops')),
    imagesPart(report),
    { head: `All of this with charts, and how to verify each image: ${PAGE}.` },
    picturePart(report),
    { head: steps.length === 0 ? '' : stepsDiagram(steps) },
    basesPart(report),
    findingsPart('Ignored, for a reason and until a day', of('ignored')),
    checksPart(report),
    { rows: notes.map((note) => `> ${plainText(note)}\n`), of: 'notes' },
    folded('Allowed by the policy, or harmless as a VEX statement says', [
      ...of('passes'),
      ...of('harmless'),
    ]),
    { head: `Vulnerability database of ${database.built}.` },
    { head: verification === null ? '' : verifyText(verification.commands[0]?.command ?? '') },
  ]
  return fitSummary(parts, PAGE, limit)
}

function imagesPart({ images, why, earlier, findings }: BuildReport): SummaryPart {
  const rows = Object.entries(images)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { digest, size }]) => {
      const counts = findings[name]
      const shown = (['critical', 'high', 'medium', 'low'] as const).map((severity) =>
        String(counts?.[severity] ?? '?'),
      )
      const change = changeOf(size, earlier[name]?.size).text
      const about = [codeSpan(name), plainText(why[name] ?? ''), codeSpan(digest.slice(0, 19))]
      return [...about, bytes(size), change, ...shown]
    })
  const head = ['image', 'why', 'digest', 'size', 'change', 'critical', 'high', 'medium', 'low']
  return tablePart(head, rows, 'images')
}

function picturePart({ images, findings, judged }: BuildReport): SummaryPart {
  if (judged.length === 0) return { head: 'The scanner found nothing in any image.' }
  const most = Math.max(...Object.values(findings).map(totalOf))
  const each = Math.max(1, Math.ceil(most / MOST_SQUARES))
  const rows = Object.keys(images)
    .sort()
    .map((name) => {
      const counts = findings[name]
      const squares = SEVERITIES.map((severity) =>
        SQUARES[severity].repeat(Math.ceil((counts?.[severity] ?? 0) / each)),
      )
      return [codeSpan(name), squares.join('') || 'none', String(counts ? totalOf(counts) : '?')]
    })
  const legend = SEVERITIES.map((severity) => `${SQUARES[severity]} ${severity}`).join(' · ')
  const scale = each === 1 ? '' : `; one square for ${each} findings or fewer`
  const { head, ...table } = tablePart(['image', 'findings', 'in all'], rows, 'images')
  return { ...table, head: `${legend}${scale}\n\n${head ?? ''}` }
}

function findingsPart(title: string, findings: readonly JudgedFinding[]): SummaryPart {
  if (findings.length === 0) return {}
  const rows = groupFindings(findings).map(({ finding, images, origins }) => {
    const { severity, version, platform, fixedIn } = finding
    return [
      `${SQUARES[severity]} ${severity}`,
      idOf(finding),
      `${codeSpan(`${finding.package} ${version}`)}${platform === '' ? '' : `, for ${codeSpan(platform)}`}`,
      fixedIn.length === 0 ? 'no fix yet' : codeSpan(fixedIn.join(', ')),
      images.map(codeSpan).join(', '),
      origins.map((origin) => codeSpan(originInWords(origin))).join(', '),
      plainText(whyInWords(finding)),
    ]
  })
  const head = ['severity', 'vulnerability', 'package', 'fixed in', 'images', 'comes in by', 'why']
  const { head: table, ...rest } = tablePart(head, rows, 'findings')
  return { ...rest, head: `### ${title}: ${findings.length}\n\n${table ?? ''}` }
}

function folded(title: string, findings: readonly JudgedFinding[]): SummaryPart {
  if (findings.length === 0) return {}
  const { head = '', ...rest } = findingsPart(title, findings)
  const summary = `<details><summary>${title}: ${findings.length}</summary>`
  const table = head.split('\n').slice(2).join('\n')
  return { ...rest, head: `${summary}\n\n${table}`, tail: '</details>' }
}

function basesPart({ bases }: BuildReport): SummaryPart {
  const rows = baseRows(bases).map(({ name, digest, images, age, newer }) => [
    codeSpan(name),
    codeSpan(digest),
    images.map(codeSpan).join(', '),
    age,
    plainText(newer),
  ])
  return rows.length === 0
    ? {}
    : tablePart(['base', 'digest', 'used by', 'age', 'newer'], rows, 'bases')
}

function checksPart({ checks }: BuildReport): SummaryPart {
  const rows = checks.map(({ file, line, message, url }) => {
    const more = /^https:\/\/[^\s()<>]+$/.test(url) ? ` ([more](${url}))` : ''
    return `> ${codeSpan(`${file}:${line}`)} ${plainText(message)}${more}\n`
  })
  return { rows, of: 'checks of Dockerfiles' }
}

function verifyText(command: string): string {
  return `<details><summary>How to verify it with cosign 3</summary>\n\n${codeBlock([command])}\n\n</details>`
}

/** The name of a vulnerability, as a link where the scanner knows where to read more. */
function idOf({ id, url, knownExploited }: JudgedFinding): string {
  const isPlain = /^https:\/\/[^\s()<>|]+$/.test(url)
  const name = isPlain ? `[${plainText(id)}](${url})` : codeSpan(id)
  return knownExploited ? `${name}, used in attacks` : name
}

function tablePart(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  of: string,
): SummaryPart {
  const [names = '', line = '', ...written] = markdownTable(head, rows).split('\n')
  return { head: `${names}\n${line}`, rows: written, of }
}

function totalOf(counts: FindingCounts): number {
  return SEVERITIES.reduce((sum, severity) => sum + counts[severity], 0)
}
