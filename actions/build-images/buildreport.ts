import type { BuildResult } from '../../src/build/buildimages.ts'
import type { DockerfileCheck } from '../../src/build/checks.ts'
import type { EarlierImage } from '../../src/build/earlier.ts'
import { type Origin, originOf } from '../../src/build/origins.ts'
import type { LockedImage } from '../../src/release/imageset.ts'
import type { Step } from '../../src/report/steps.ts'
import { countFindings, type FindingCounts, type Severity } from '../../src/scan/findings.ts'
import type { Decision, Judged } from '../../src/scan/judgement.ts'
import type { ScanPolicy } from '../../src/scan/policy.ts'
import { type Claim, publicKeyOf, verifyCommand } from '../../src/signing/howtoverify.ts'
import type { Trust } from '../../src/signing/verifier.ts'
import { baseReport, type ReportedBase } from './bases.ts'

/** A finding and what was decided about it. */
export type JudgedFinding = {
  readonly image: string
  readonly id: string
  readonly severity: Severity
  readonly package: string
  readonly version: string
  /** The platform that has it, where the first of the image does not; else empty. */
  readonly platform: string
  readonly fixedIn: readonly string[]
  readonly url: string
  readonly knownExploited: boolean
  readonly decision: Decision['kind']
  /** One word of ours, or the reason that somebody gave. */
  readonly why: string
  /** Who answers for an exception, and until when. */
  readonly exception: { readonly owner: string; readonly expires: string } | null
  /** Where it comes into the image. */
  readonly origin: Origin | null
}

/** The report `build-images.v1`. Page, summary and annotations are made of it and of nothing else. */
export type BuildReport = {
  readonly kind: 'build-images'
  readonly version: 1
  readonly outcome: BuildResult['outcome']
  readonly at: string
  readonly revision: string
  readonly images: Readonly<Record<string, LockedImage>>
  readonly built: readonly string[]
  readonly why: Readonly<Record<string, string>>
  readonly earlier: Readonly<Record<string, EarlierImage>>
  readonly checks: readonly DockerfileCheck[]
  readonly findings: Readonly<Record<string, FindingCounts>>
  readonly judged: readonly JudgedFinding[]
  readonly stopped: readonly StoppingFinding[]
  readonly notes: readonly string[]
  readonly database: { readonly built: string; readonly checksum: string; readonly ageDays: number }
  readonly bases: Readonly<Record<string, readonly ReportedBase[]>>
  readonly threshold: ScanPolicy['threshold']
  readonly release: string | null
  /** How others find out that we made this; null where nothing is signed. */
  readonly verification: Verification | null
  readonly steps: readonly Step[]
  readonly seconds: number
}

export type Verification = {
  /** In PEM; null where a workflow signed, which has no key of its own. */
  readonly publicKey: string | null
  readonly commands: readonly {
    readonly of: string
    readonly claim: Claim
    readonly command: string
  }[]
}

type StoppingFinding = Pick<
  JudgedFinding,
  'image' | 'id' | 'severity' | 'package' | 'version' | 'fixedIn' | 'why'
>

/** What a run adds to its result. */
export type Circumstances = {
  readonly policy: ScanPolicy
  readonly at: Date
  readonly revision: string
  readonly steps: readonly Step[]
  readonly seconds: number
  /** What our statements are verified with; undefined where nothing is signed. */
  readonly trust: Trust | undefined
}

/** The report of a run; `notes` are further ones than those of the judgement. */
export function describeBuild(
  result: BuildResult,
  how: Circumstances,
  notes: readonly string[],
): BuildReport {
  const { images, scans, judgement, database, release, outcome } = result
  const judged = judgement.findings.map((one) => describeJudged(one, result))
  const counts = scans.map(({ image, findings }) => [image, countFindings(findings)] as const)
  return {
    kind: 'build-images',
    version: 1,
    outcome,
    at: how.at.toISOString(),
    revision: how.revision,
    images: images.images,
    built: result.built,
    why: result.why,
    earlier: Object.fromEntries(result.earlier),
    checks: result.checks,
    findings: Object.fromEntries(counts),
    judged,
    stopped: judged.filter(({ decision }) => decision === 'stops').map(describeStopping),
    notes: [...judgement.notes, ...notes],
    database: { built: database.built, checksum: database.checksum, ageDays: database.ageDays },
    bases: baseReport(result.bases),
    threshold: how.policy.threshold,
    release: release?.reference ?? null,
    verification: release === undefined ? null : describeVerification(result, how.trust),
    steps: how.steps,
    seconds: how.seconds,
  }
}

function describeJudged({ image, finding, decision }: Judged, result: BuildResult): JudgedFinding {
  const { id, severity, version, platform, fixedIn, url, knownExploited } = finding
  const origin = originOf(finding, result.origins.get(image)) ?? null
  const about = { image, id, severity, package: finding.package, version, platform, fixedIn, url }
  return { ...about, knownExploited, ...describeDecision(decision), origin }
}

function describeDecision(
  decision: Decision,
): Pick<JudgedFinding, 'decision' | 'why' | 'exception'> {
  const { kind } = decision
  switch (kind) {
    case 'stops':
    case 'passes':
      return { decision: kind, why: decision.why, exception: null }
    case 'ignored': {
      const { reason, owner, expires } = decision.by
      return { decision: kind, why: reason, exception: { owner, expires } }
    }
    case 'harmless':
      return { decision: kind, why: decision.by.why, exception: null }
    default:
      return kind satisfies never
  }
}

function describeStopping(finding: JudgedFinding): StoppingFinding {
  const { image, id, severity, version, fixedIn, why } = finding
  return { image, id, severity, package: finding.package, version, fixedIn, why }
}

function describeVerification(
  { images, release }: BuildResult,
  trust: Trust | undefined,
): Verification | null {
  if (trust === undefined) return null
  const ask = (of: string, reference: string, claims: readonly Claim[]) =>
    claims.map((claim) => ({ of, claim, command: verifyCommand(reference, claim, trust) }))
  const all = Object.entries(images.images).flatMap(([name, { reference }]) =>
    ask(name, reference, ['provenance', 'sbom', 'scan']),
  )
  const whole = release === undefined ? [] : ask('release', release.reference, ['release'])
  return { publicKey: publicKeyOf(trust) ?? null, commands: [...whole, ...all] }
}

/** The verdict of a run in words; page and summary begin with it. */
export function verdictOf(report: BuildReport): string {
  const { outcome, images, stopped } = report
  const count = Object.keys(images).length
  const all = count === 1 ? 'the image' : `all ${count} images`
  switch (outcome) {
    case 'published':
      return `Published: ${all} passed the scan; ${builtInWords(report)}`
    case 'built':
      return `Not published, as asked: ${all} passed the scan; ${builtInWords(report)}`
    case 'stopped': {
      const names = [...new Set(stopped.map(({ image }) => image))]
      const found = stopped.length === 1 ? 'a finding' : `${stopped.length} findings`
      const stop = stopped.length === 1 ? 'stops' : 'stop'
      return `Nothing was published: ${found} in ${names.join(', ')} ${stop} the release`
    }
    default:
      return outcome satisfies never
  }
}

function builtInWords({ images, built }: BuildReport): string {
  const count = Object.keys(images).length
  if (built.length === 0) return 'nothing had changed, so nothing was built'
  if (built.length === count) return count === 1 ? 'it was built' : 'all were built'
  return `${built.length} built, ${count - built.length} unchanged`
}
