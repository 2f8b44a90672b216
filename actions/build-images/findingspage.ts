import { type Part, stackedBars, type Tone } from '../../src/report/charts.ts'
import {
  type Html,
  link,
  markup,
  nothing,
  type Piece,
  word,
  words,
} from '../../src/report/markup.ts'
import { fold, type Section, table } from '../../src/report/page.ts'
import { SEVERITIES, type Severity } from '../../src/scan/findings.ts'
import type { BuildReport, JudgedFinding } from './buildreport.ts'
import { countsInWords, groupFindings, originInWords, whyInWords } from './words.ts'

/** A table of more rows than this is slow to read and to draw; the report in JSON has all of them. */
const MOST_ROWS = 2000

/** What the scan found: a chart by image and severity, and a table of what was decided about each finding. */
export function findingsSection(report: BuildReport): Section {
  const { judged, database, threshold } = report
  const of = (decision: JudgedFinding['decision']) =>
    judged.filter((one) => one.decision === decision)
  const stopping = of('stops')
  const [ignored, harmless, passing] = [of('ignored'), of('harmless'), of('passes')]
  return {
    title: 'Findings',
    lead: markup`The mildest severity that stops a release is <b>${threshold}</b>. Asked was the vulnerability database of ${database.built}.`,
    body:
      judged.length === 0
        ? markup`<p>The scanner found nothing in any image.</p>`
        : [
            findingsChart(report),
            part('These stop the release', stopping, { open: true }),
            part('Ignored, for a reason and until a day', ignored, { open: true }),
            part('Do no harm here, as a VEX statement says', harmless, { open: false }),
            part('Allowed by the policy', passing, { open: false }),
          ],
  }
}

function part(
  title: string,
  findings: readonly JudgedFinding[],
  { open }: { readonly open: boolean },
): Html {
  if (findings.length === 0) return nothing
  const groups = groupFindings(findings)
  const left = groups.length - MOST_ROWS
  const rows = groups
    .slice(0, MOST_ROWS)
    .map(({ finding, images, origins }): readonly Piece[] => [
      severityCell(finding.severity),
      [
        link(finding.url, word(finding.id)),
        finding.knownExploited ? markup`<small>used in attacks</small>` : nothing,
      ],
      [
        markup`<b>${word(finding.package)}</b> ${word(finding.version)}`,
        finding.platform === '' ? nothing : markup`<small>for ${word(finding.platform)}</small>`,
      ],
      finding.fixedIn.length === 0 ? word('no fix yet') : words(finding.fixedIn),
      words(images),
      origins.map((origin) => markup`<div class="any">${originInWords(origin)}</div>`),
      markup`<span class="any">${whyInWords(finding)}</span>`,
    ])
  const head = ['severity', 'vulnerability', 'package', 'fixed in', 'images', 'comes in by', 'why']
  const note =
    left <= 0
      ? nothing
      : markup`<p class="quiet">${left} more rows are left out here; the report in JSON has them.</p>`
  return fold(`${title}: ${findings.length}`, [table({ head, rows }), note], open)
}

function severityCell(severity: Severity): Html {
  return markup`<span class="severity"><svg class="key" aria-hidden="true"><rect width="100%" height="100%" class="tone-${severity}"/></svg>${severity}</span>`
}

function findingsChart({ images, findings }: BuildReport): Html {
  const rows = Object.keys(images)
    .sort()
    .map((name) => {
      const counts = findings[name]
      const parts = SEVERITIES.map((severity): Part => ({
        tone: severity,
        value: counts?.[severity] ?? 0,
      }))
      return { label: name, parts, words: countsInWords(counts) }
    })
  const total = (severity: Severity) =>
    Object.values(findings).reduce((sum, counts) => sum + counts[severity], 0)
  const legend = SEVERITIES.filter((severity) => total(severity) > 0).map(
    (severity): { tone: Tone; text: string } => ({
      tone: severity,
      text: `${severity} ${total(severity)}`,
    }),
  )
  return stackedBars(rows, legend)
}
