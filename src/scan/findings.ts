import { at, listAt, parseJson, textAt } from '../json.ts'

export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown'] as const
export type Severity = (typeof SEVERITIES)[number]

/** One vulnerability in one package of one image. */
export type Finding = {
  readonly id: string
  readonly severity: Severity
  readonly package: string
  readonly version: string
  /** Versions that fix it, or empty where there is none yet. */
  readonly fixedIn: readonly string[]
  readonly location: string
}

export type FindingCounts = Readonly<Record<Severity, number>>

/** Reads grype's JSON report, worst first. */
export function parseFindings(text: string, image: string): readonly Finding[] {
  const report = parseJson(text, `the scan of ${image}`)
  const findings = listAt(report, 'matches').map((match) => ({
    id: textAt(match, 'vulnerability', 'id') ?? '?',
    severity: severityOf(textAt(match, 'vulnerability', 'severity')),
    package: textAt(match, 'artifact', 'name') ?? '?',
    version: textAt(match, 'artifact', 'version') ?? '?',
    fixedIn: listAt(at(match, 'vulnerability', 'fix'), 'versions').map(String),
    location: textAt(match, 'artifact', 'locations', 0, 'path') ?? '',
  }))
  return findings.sort(
    (a, b) =>
      SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || (a.id < b.id ? -1 : 1),
  )
}

export function countFindings(findings: readonly Finding[]): FindingCounts {
  const counts = { critical: 0, high: 0, medium: 0, low: 0, negligible: 0, unknown: 0 }
  for (const finding of findings) counts[finding.severity] += 1
  return counts
}

/** True where `severity` is at least as bad as `threshold`. An unknown severity never reaches a threshold. */
export function reaches(severity: Severity, threshold: Severity): boolean {
  return severity !== 'unknown' && SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(threshold)
}

function severityOf(text: string | undefined): Severity {
  return SEVERITIES.find((severity) => severity === text?.toLowerCase()) ?? 'unknown'
}
