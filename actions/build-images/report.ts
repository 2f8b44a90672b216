import type { BuildResult } from '../../src/build/buildimages.ts'
import { type CommandResult, STATUS } from '../../src/edge/command.ts'
import { formatImageSet, LOCK_FILE } from '../../src/release/imageset.ts'
import { bytes, markdownTable } from '../../src/report/markdown.ts'
import { countFindings, describeFinding, type FindingCounts } from '../../src/scan/findings.ts'
import { type Judged, stoppedBy } from '../../src/scan/judgement.ts'
import type { ScanPolicy } from '../../src/scan/policy.ts'
import { sarifOf } from '../../src/scan/sarif.ts'

const SHOWN_FINDINGS = 10

/** What `build-images` says: outputs, `build-images.v1` report, lock file, SARIF and summary. */
export function reportBuild(
  result: BuildResult,
  how: { readonly policy: ScanPolicy; readonly seconds: number },
): CommandResult {
  const { images, scans, judgement, database, release, outcome } = result
  const references = Object.fromEntries(
    Object.entries(images.images).map(([name, image]) => [name, image.reference]),
  )
  const findings = Object.fromEntries(
    scans.map((scan) => [scan.image, countFindings(scan.findings)]),
  )
  const stopped = stoppedBy(judgement)
  const sarif = scans.map(({ image }) =>
    sarifOf(image, judgement.findings, { name: 'grype', version: database.scanner }),
  )
  return {
    outputs: {
      images: outcome === 'stopped' ? '{}' : JSON.stringify(references),
      release: release?.reference ?? '',
    },
    report: {
      kind: 'build-images',
      version: 1,
      outcome,
      images: images.images,
      why: result.why,
      checks: result.checks,
      findings,
      stopped: stopped.map(describeJudged),
      notes: [...judgement.notes, ...droppedNotes(sarif)],
      database: {
        built: database.built,
        checksum: database.checksum,
        ageDays: database.ageDays,
      },
      threshold: how.policy.threshold,
      release: release?.reference ?? null,
      seconds: how.seconds,
    },
    summary: summarize(result, findings),
    headline: headlineOf(result),
    details: stopped.map(({ image, finding }) => `${image}: ${describeFinding(finding)}`),
    status: outcome === 'stopped' ? STATUS.refused : STATUS.good,
    files: { 'lock-file': { name: LOCK_FILE, content: formatImageSet(images) } },
    folders: {
      sarif: {
        name: 'sarif',
        files: Object.fromEntries(sarif.map(({ image, text }) => [`${image}.sarif`, text])),
      },
    },
  }
}

function headlineOf({ outcome, images, judgement, release }: BuildResult): string {
  const count = Object.keys(images.images).length
  const stopped = stoppedBy(judgement)
  const names = [...new Set(stopped.map(({ image }) => image))].join(', ')
  const found = stopped.length === 1 ? 'a finding' : `${stopped.length} findings`
  switch (outcome) {
    case 'published':
      return `Built and scanned ${count} images; release ${release?.reference ?? ''}`
    case 'built':
      return `Built and scanned ${count} images; release not published (push is false)`
    case 'stopped':
      return `The scan stopped the release: ${found} the policy does not allow in ${names}; nothing was published`
    default:
      return outcome satisfies never
  }
}

function describeJudged({ image, finding, decision }: Judged): unknown {
  const { id, severity, version, fixedIn } = finding
  const why = 'why' in decision ? decision.why : decision.kind
  return { image, id, severity, package: finding.package, version, fixedIn, why }
}

function droppedNotes(
  sarif: readonly { readonly image: string; readonly dropped: number }[],
): readonly string[] {
  return sarif
    .filter(({ dropped }) => dropped > 0)
    .map(({ image, dropped }) => `The SARIF of ${image} lacks ${dropped} findings, the mildest`)
}

function summarize(
  { images, why, checks, judgement, database, release, outcome }: BuildResult,
  findings: Readonly<Record<string, FindingCounts>>,
): string {
  const rows = Object.entries(images.images).map(([name, image]) => {
    const { critical = 0, high = 0, medium = 0, low = 0 } = findings[name] ?? {}
    const counts = [critical, high, medium, low].map(String)
    return [name, why[name] ?? '', `\`${image.digest.slice(0, 19)}\``, bytes(image.size), ...counts]
  })
  const lines = judgement.findings.map(
    ({ image, finding, decision }) => `- ${image}: ${describeFinding(finding)} — ${decision.kind}`,
  )
  const stopped = outcome === 'stopped'
  return [
    stopped ? '## ✗ build-images: the scan stopped the release' : '## ✓ build-images',
    release === undefined ? 'Not published.' : `Release \`${release.reference}\``,
    markdownTable(['image', 'why', 'digest', 'size', 'critical', 'high', 'medium', 'low'], rows),
    `Vulnerability database of ${database.built}.`,
    ...judgement.notes.map((note) => `> ${note}`),
    ...checks.map(({ file, line, message, url }) => `> [${file}:${line}](${url}) ${message}`),
    ...(lines.length === 0
      ? []
      : [
          `<details${stopped ? ' open' : ''}><summary>Findings</summary>\n`,
          ...lines.slice(0, SHOWN_FINDINGS),
          ...(lines.length > SHOWN_FINDINGS
            ? [`- … and ${lines.length - SHOWN_FINDINGS} more`]
            : []),
          '\n</details>',
        ]),
    '',
  ].join('\n\n')
}
