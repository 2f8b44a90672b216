import { type Finding, findingKey, isNamed, reaches } from './findings.ts'
import type { Ignore, Limits, ScanPolicy } from './policy.ts'
import { speaksOf, type VexStatement } from './vex.ts'

/** What was decided about one finding, and why. */
export type Decision =
  | { readonly kind: 'stops'; readonly why: 'threshold' | 'known-exploited' }
  | { readonly kind: 'passes'; readonly why: 'below-threshold' | 'no-fix' | 'not-new' }
  | { readonly kind: 'ignored'; readonly by: Ignore }
  | { readonly kind: 'harmless'; readonly by: VexStatement }

export type Judged = {
  readonly image: string
  readonly finding: Finding
  readonly decision: Decision
}

export type Judgement = {
  readonly findings: readonly Judged[]
  /** What people should know about the policy itself: ignores and statements that match nothing, or that were overruled. */
  readonly notes: readonly string[]
}

export type Scanned = { readonly image: string; readonly findings: readonly Finding[] }

/** What a policy is applied with. */
export type Evidence = {
  readonly vex: readonly VexStatement[]
  /** Image → keys of the findings in the baseline release; undefined where there is no baseline. */
  readonly baseline: ReadonlyMap<string, ReadonlySet<string>> | undefined
}

/**
 * Decides about every finding of every image: the one place that does. Tables, SARIF and summaries show its answer.
 * A statement that a vulnerability does no harm comes first; then what is used in attacks stops, whatever else the policy says.
 */
export function judge(
  scans: readonly Scanned[],
  policy: ScanPolicy,
  evidence: Evidence,
): Judgement {
  const findings = scans.flatMap(({ image, findings: found }) =>
    found.map((finding) => ({
      image,
      finding,
      decision: decide({ image, finding }, policy, evidence),
    })),
  )
  return { findings, notes: notesOf(findings, policy, evidence) }
}

/** The findings that the policy does not allow: with one of them nothing is published. */
export function stoppedBy(judgement: Judgement): readonly Judged[] {
  return judgement.findings.filter(({ decision }) => decision.kind === 'stops')
}

function decide(
  what: { readonly image: string; readonly finding: Finding },
  policy: ScanPolicy,
  { vex, baseline }: Evidence,
): Decision {
  const { image, finding } = what
  const statement = vex.find((one) => speaksOf(one, finding, image))
  if (statement !== undefined) return { kind: 'harmless', by: statement }
  if (finding.knownExploited) return { kind: 'stops', why: 'known-exploited' }
  const ignore = policy.ignores.find((one) => ignores(one, finding, image))
  if (ignore !== undefined) return { kind: 'ignored', by: ignore }
  const { threshold, onlyFixed } = limitsOf(policy, image)
  if (threshold === 'none' || !reaches(finding.severity, threshold))
    return { kind: 'passes', why: 'below-threshold' }
  if (onlyFixed && finding.fixedIn.length === 0) return { kind: 'passes', why: 'no-fix' }
  const isKnown = baseline?.get(image)?.has(findingKey(finding)) ?? false
  if (policy.onlyNew && isKnown) return { kind: 'passes', why: 'not-new' }
  return { kind: 'stops', why: 'threshold' }
}

/** The limits for one image: its own, else those of the policy. */
export function limitsOf(policy: ScanPolicy, image: string): Limits {
  const { threshold, onlyFixed } = policy
  return { threshold, onlyFixed, ...policy.images[image] }
}

function ignores(ignore: Ignore, finding: Finding, image: string): boolean {
  return (
    isNamed(finding, ignore.id) &&
    (ignore.images?.includes(image) ?? true) &&
    (ignore.packages?.includes(finding.package) ?? true)
  )
}

function notesOf(
  findings: readonly Judged[],
  policy: ScanPolicy,
  evidence: Evidence,
): readonly string[] {
  const notes: string[] = []
  for (const ignore of policy.ignores) {
    const matched = findings.filter(({ finding, image }) => ignores(ignore, finding, image))
    const [overruled] = matched.filter(({ decision }) => decision.kind === 'stops')
    if (matched.length === 0)
      notes.push(`The ignore of ${ignore.id} (${ignore.owner}) matches nothing; remove it`)
    else if (overruled !== undefined)
      notes.push(
        `${ignore.id} is used in attacks, so that it can't be ignored; update ${overruled.finding.package}`,
      )
  }
  for (const statement of evidence.vex)
    if (!findings.some(({ decision }) => 'by' in decision && decision.by === statement))
      notes.push(`The VEX statement about ${statement.id} matches nothing`)
  const seen = new Set(findings.map(({ image }) => image))
  if (policy.onlyNew && evidence.baseline !== undefined)
    for (const image of seen)
      if (!evidence.baseline.has(image))
        notes.push(`The baseline has no image ${image}: all of its findings count as new`)
  return notes
}
