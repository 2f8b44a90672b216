import type { BuildResult } from '../../src/build/buildimages.ts'
import { type CommandResult, STATUS } from '../../src/edge/command.ts'
import { RELEASE_STEP } from '../../src/build/publication.ts'
import type { Step } from '../../src/report/steps.ts'
import { PAGE_FILE, type Past, refusedResult } from '../../src/edge/refused.ts'
import { formatImageSet, LOCK_FILE } from '../../src/release/imageset.ts'
import { LOCK_FORMS, lockForms } from '../../src/release/lockforms.ts'
import { type Judged, stoppedBy } from '../../src/scan/judgement.ts'
import { describeFinding } from '../../src/scan/findings.ts'
import { sarifOf } from '../../src/scan/sarif.ts'
import { originOf } from '../../src/build/origins.ts'
import { PUBLIC_KEY_FILE } from '../../src/signing/howtoverify.ts'
import { annotationsOf } from './annotations.ts'
import { type Circumstances, describeBuild } from './buildreport.ts'
import { buildPage } from './page.ts'
import { buildSummary } from './summary.ts'
import { originInWords } from './words.ts'

const NAME = 'build-images'

/** What `build-images` says: outputs, `build-images.v1` report, page, summary, annotations, lock file in its forms, and SARIF. */
export function reportBuild(result: BuildResult, how: Circumstances): CommandResult {
  const { images, scans, judgement, database, release, outcome } = result
  const references = Object.fromEntries(
    Object.entries(images.images).map(([name, image]) => [name, image.reference]),
  )
  const sarif = scans.map(({ image }) =>
    sarifOf(image, judgement.findings, { name: 'grype', version: database.scanner }),
  )
  const report = describeBuild(result, how, droppedNotes(sarif))
  const publicKey = report.verification?.publicKey ?? null
  return {
    outputs: {
      images: outcome === 'stopped' ? '{}' : JSON.stringify(references),
      release: release?.reference ?? '',
    },
    report,
    summary: buildSummary(report),
    headline: headlineOf(result),
    details: stoppedBy(judgement).map((one) => describeStop(one, result)),
    annotations: annotationsOf(report),
    status: outcome === 'stopped' ? STATUS.refused : STATUS.good,
    files: {
      'lock-file': { name: LOCK_FILE, content: formatImageSet(images) },
      'report-page': { name: PAGE_FILE, content: buildPage(report) },
      ...(publicKey === null
        ? {}
        : { 'public-key': { name: PUBLIC_KEY_FILE, content: publicKey } }),
    },
    folders: {
      'lock-forms': { name: LOCK_FORMS, files: lockForms(images) },
      sarif: {
        name: 'sarif',
        files: Object.fromEntries(sarif.map(({ image, text }) => [`${image}.sarif`, text])),
      },
    },
  }
}

/** A refusal, with its page: somebody who looks for the report must find why there is none. */
export function reportRefusal(error: unknown, past: Past): CommandResult {
  return refusedResult(error, { about: NAME, consequence: consequenceOf(past.steps) }, past)
}

function consequenceOf(steps: readonly Step[]): string {
  const appearing = steps.find(({ title }) => title === RELEASE_STEP)
  if (appearing === undefined) return 'No release and no tag was published.'
  return appearing.state === 'done'
    ? 'The release is published; what failed came after it. Run again to make up for it.'
    : 'The release may be published or not. Run again: the same input makes the same release.'
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

function describeStop({ image, finding }: Judged, { origins }: BuildResult): string {
  const origin = originOf(finding, origins.get(image))
  const place = origin === undefined ? '' : `; comes in by ${originInWords(origin)}`
  return `${image}: ${describeFinding(finding)}${place}`
}

function droppedNotes(
  sarif: readonly { readonly image: string; readonly dropped: number }[],
): readonly string[] {
  return sarif
    .filter(({ dropped }) => dropped > 0)
    .map(({ image, dropped }) => `The SARIF of ${image} lacks ${dropped} findings, the mildest`)
}
