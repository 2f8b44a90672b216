import { at, isObject, listAt, numberAt, textAt } from '../json.ts'

export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown'] as const
export type Severity = (typeof SEVERITIES)[number]

/** One vulnerability in one package of one image. */
export type Finding = {
  readonly id: string
  /** Other names of the same vulnerability, such as the CVE of a GHSA. */
  readonly aliases: readonly string[]
  readonly severity: Severity
  readonly package: string
  readonly version: string
  /** Package URL, such as `pkg:npm/lodash@4.17.20`; empty where the scanner knows none. */
  readonly purl: string
  /** Versions that fix it, or empty where there is none yet. */
  readonly fixedIn: readonly string[]
  /** Path in the image. */
  readonly location: string
  /** The platform that has it, where the first of the image does not; else empty. */
  readonly platform: string
  /** The layer (by the digest of its files) that the package came with, or empty. */
  readonly layer: string
  /** True where only the list of all packages names it: the layer is then the last one that installed anything. */
  readonly layerIsLast: boolean
  readonly description: string
  /** Where to read more, or an empty text. */
  readonly url: string
  /** CVSS base score, 0 to 10; undefined where nobody gave one. */
  readonly score: number | undefined
  /** In the catalogue of vulnerabilities that are used in attacks (CISA KEV). */
  readonly knownExploited: boolean
}

const PACKAGE_LIST =
  /^\/(?:usr\/)?lib\/apk\/db\/installed$|^\/var\/lib\/dpkg\/status$|^\/(?:var\/lib|usr\/lib\/sysimage)\/rpm\//

export type FindingCounts = Readonly<Record<Severity, number>>

/** Reads grype's report, worst first. */
export function parseFindings(report: unknown): readonly Finding[] {
  return worstFirst(listAt(report, 'matches').map(readMatch))
}

function readMatch(match: unknown): Finding {
  const vulnerability = at(match, 'vulnerability')
  const related = listAt(match, 'relatedVulnerabilities')
  const all = [vulnerability, ...related]
  const scores = all.flatMap((one) => listAt(one, 'cvss')).map((cvss) => scoreOf(cvss))
  const known = scores.filter((score) => score !== undefined)
  return {
    id: textAt(vulnerability, 'id') ?? '?',
    aliases: related.map((one) => textAt(one, 'id') ?? '').filter((id) => id !== ''),
    severity: severityOf(textAt(vulnerability, 'severity')),
    package: textAt(match, 'artifact', 'name') ?? '?',
    version: textAt(match, 'artifact', 'version') ?? '?',
    purl: textAt(match, 'artifact', 'purl') ?? '',
    fixedIn: listAt(vulnerability, 'fix', 'versions').map(String),
    location: textAt(match, 'artifact', 'locations', 0, 'path') ?? '',
    platform: '',
    ...layerOf(listAt(match, 'artifact', 'locations')),
    description:
      all.map((one) => textAt(one, 'description') ?? '').find((text) => text !== '') ?? '',
    url: urlOf(vulnerability),
    score: known.length === 0 ? undefined : Math.max(...known),
    knownExploited: all.some((one) => listAt(one, 'knownExploited').length > 0),
  }
}

/** A package manager's list is written anew by whoever installs anything; files of the package itself say more. */
function layerOf(locations: readonly unknown[]): Pick<Finding, 'layer' | 'layerIsLast'> {
  const own = locations.find((one) => !PACKAGE_LIST.test(textAt(one, 'path') ?? ''))
  return {
    layer: textAt(own ?? locations[0], 'layerID') ?? '',
    layerIsLast: own === undefined && locations.length > 0,
  }
}

/** Sorts findings; among equals by name, so that two runs print the same. */
export function worstFirst(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted(byWeight)
}

function byWeight(a: Finding, b: Finding): number {
  const exploited = Number(b.knownExploited) - Number(a.knownExploited)
  const severity = SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity)
  return exploited || severity || compare(a.id, b.id) || compare(a.package, b.package)
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}

function scoreOf(cvss: unknown): number | undefined {
  return isObject(cvss) ? numberAt(cvss, 'metrics', 'baseScore') : undefined
}

function urlOf(vulnerability: unknown): string {
  const source = textAt(vulnerability, 'dataSource') ?? ''
  return source.startsWith('https://') ? source : ''
}

/**
 * What makes two findings the same one in two images or at two times: vulnerability and package, not its version, so that an update
 * that does not help is nothing new.
 */
export function findingKey(finding: Finding): string {
  return `${finding.id} ${finding.package}`
}

/** True where `id` is the finding's own or another name of it. */
export function isNamed(finding: Finding, id: string): boolean {
  return finding.id === id || finding.aliases.includes(id)
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

/** One finding in one line, with its remedy. */
export function describeFinding(finding: Finding): string {
  const { id, severity, version, fixedIn, platform } = finding
  const remedy = fixedIn.length === 0 ? 'no fix yet' : `fixed in ${fixedIn.join(', ')}`
  const exploited = finding.knownExploited ? ', used in attacks' : ''
  const only = platform === '' ? '' : ` for ${platform}`
  return `${severity} ${id} in ${finding.package} ${version}${only} (${remedy}${exploited})`
}

function severityOf(text: string | undefined): Severity {
  return SEVERITIES.find((severity) => severity === text?.toLowerCase()) ?? 'unknown'
}
