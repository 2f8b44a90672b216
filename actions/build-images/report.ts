import { type BuildResult, describeFinding } from '../../src/build/buildimages.ts'
import { type CommandResult, STATUS } from '../../src/edge/command.ts'
import { formatImageSet, LOCK_FILE } from '../../src/release/imageset.ts'
import { countFindings, type FindingCounts } from '../../src/scan/findings.ts'
import type { ScanPolicy } from '../../src/scan/policy.ts'
import { bytes, markdownTable } from '../../src/report/markdown.ts'

const SHOWN_FINDINGS = 10

/** What `build-images` says: outputs, `build-images.v1` report, lock file and summary. */
export function reportBuild(
  result: BuildResult,
  how: { readonly policy: ScanPolicy; readonly seconds: number },
): CommandResult {
  const { images, scans, database, release } = result
  const references = Object.fromEntries(
    Object.entries(images.images).map(([name, image]) => [name, image.reference]),
  )
  const findings = Object.fromEntries(
    scans.map((scan) => [scan.image, countFindings(scan.findings)]),
  )
  const count = Object.keys(references).length
  const what = release === undefined ? 'not published (push is false)' : release.reference
  return {
    outputs: { images: JSON.stringify(references), release: release?.reference ?? '' },
    report: {
      kind: 'build-images',
      version: 1,
      images: images.images,
      findings,
      database: { built: database.built, checksum: database.checksum },
      threshold: how.policy.threshold,
      release: release?.reference ?? null,
      seconds: how.seconds,
    },
    summary: summarize(result, findings),
    headline: `Built and scanned ${count} images; release ${what}`,
    status: STATUS.good,
    files: { 'lock-file': { name: LOCK_FILE, content: formatImageSet(images) } },
  }
}

function summarize(
  { images, scans, database, release }: BuildResult,
  findings: Readonly<Record<string, FindingCounts>>,
): string {
  const rows = Object.entries(images.images).map(([name, image]) => {
    const { critical = 0, high = 0, medium = 0, low = 0 } = findings[name] ?? {}
    const counts = [critical, high, medium, low].map(String)
    return [name, `\`${image.digest.slice(0, 19)}\``, bytes(image.size), ...counts]
  })
  const worst = scans
    .flatMap((scan) => scan.findings.map((finding) => `${scan.image}: ${describeFinding(finding)}`))
    .slice(0, SHOWN_FINDINGS)
  return [
    '## ✓ build-images',
    release === undefined ? 'Not published.' : `Release \`${release.reference}\``,
    markdownTable(['image', 'digest', 'size', 'critical', 'high', 'medium', 'low'], rows),
    `Vulnerability database of ${database.built}.`,
    ...(worst.length === 0
      ? []
      : [
          '<details><summary>Findings</summary>\n',
          ...worst.map((line) => `- ${line}`),
          '\n</details>',
        ]),
    '',
  ].join('\n\n')
}
