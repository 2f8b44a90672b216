import { pairedBars, seconds } from '../../src/report/charts.ts'
import { bytes } from '../../src/report/markdown.ts'
import { link, markup, nothing, type Piece, word, words } from '../../src/report/markup.ts'
import { codeLines, fold, renderPage, type Section, table } from '../../src/report/page.ts'
import { stepsChart } from '../../src/report/steps.ts'
import { PUBLIC_KEY_FILE } from '../../src/signing/howtoverify.ts'
import { baseRows, daysOf } from './bases.ts'
import { type BuildReport, verdictOf } from './buildreport.ts'
import { findingsSection } from './findingspage.ts'
import { changeOf } from './words.ts'

/** The report of `build-images` as a page. */
export function buildPage(report: BuildReport): string {
  const { outcome, release, notes, checks, at } = report
  const sections: readonly (Section | undefined)[] = [
    findingsSection(report),
    imagesSection(report),
    sizesSection(report),
    basesSection(report),
    timeSection(report),
    checks.length === 0 ? undefined : checksSection(report),
    notes.length === 0
      ? undefined
      : {
          title: 'Notes',
          body: markup`<ul class="notes">${notes.map((note) => markup`<li>${note}</li>`)}</ul>`,
        },
    verifySection(report),
  ]
  return renderPage({
    about: 'build-images',
    tone: outcome === 'stopped' ? 'bad' : 'good',
    verdict: verdictOf(report),
    detail: release === null ? NO_RELEASE[outcome] : markup`Release <code>${release}</code>`,
    facts: factsOf(report),
    sections: sections.filter((section) => section !== undefined),
    at,
  })
}

const NO_RELEASE = {
  published: '',
  built: 'The images were built, scanned and judged only: push is false.',
  stopped:
    'No image, no tag and no release left this machine. Update what stands first below, or write down why you accept it, until when, and who answers for it.',
} as const

function factsOf(report: BuildReport): readonly (readonly [string, Piece])[] {
  const { images, built, judged, stopped, database, threshold, revision } = report
  const total = sum(Object.values(images).map(({ size }) => size))
  const all = Object.keys(images).length
  const stops = `${amount(stopped.length, judged.length)} ${stopped.length > 1 ? 'stop' : 'stops'}`
  return [
    ['Images', `${all}, ${amount(built.length, all)} built`],
    ['Findings', judged.length === 0 ? 'none' : `${judged.length}, ${stops} the release`],
    ['Threshold', threshold],
    ['Packed size', bytes(total)],
    ['Time', seconds(report.seconds)],
    ['Vulnerability data', database.ageDays < 1 ? 'of today' : `${daysOf(database.ageDays)} old`],
    ...(revision === ''
      ? []
      : [['Commit', markup`<code>${revision.slice(0, 12)}</code>`] as const]),
  ]
}

function imagesSection({ images, built, why }: BuildReport): Section {
  const sorted = Object.entries(images).sort(byName)
  const rows = sorted.map(([name, { digest, size }]) => {
    const [, reason = ''] = /^built, since (.*)$/s.exec(why[name] ?? '') ?? []
    const isBuilt = built.includes(name)
    return [
      markup`<span class="name">${word(name)}</span>`,
      word(isBuilt ? 'built' : 'unchanged'),
      markup`<span class="any">${reason || (isBuilt ? (why[name] ?? '') : SAME_INPUTS)}</span>`,
      bytes(size),
      markup`<code class="word">${digest.slice(0, SHOWN_DIGITS)}</code>`,
    ]
  })
  const references = sorted.map(([, { reference }]) => reference)
  return {
    title: 'Images',
    lead: 'Why each one was built, or used again.',
    body: [
      table({ head: ['image', 'what', 'why', 'packed', 'digest'], rows, numbers: [3] }),
      fold('The references by digest, to copy', codeLines(references)),
    ],
  }
}

const SAME_INPUTS = 'the inputs are the same as before'
const SHOWN_DIGITS = 19

function sizesSection({ images, earlier }: BuildReport): Section {
  const rows = Object.entries(images)
    .sort(byName)
    .map(([name, { size, digest }]) => {
      const before = earlier[name]
      const change = changeOf(size, before?.size)
      const same = before?.digest === digest ? 'the same bytes' : change.text
      return {
        label: name,
        now: size,
        before: before?.size,
        words: markup`${bytes(size)} <span class="${change.direction}">${same}</span>`,
      }
    })
  const of = Object.values(earlier).some((one) => one.of === 'baseline')
    ? 'in the baseline'
    : 'as published last'
  const total = sum(rows.map(({ now }) => now))
  const isComplete = rows.every(({ before }) => before !== undefined)
  const sumBefore = isComplete ? sum(rows.map(({ before }) => before ?? 0)) : undefined
  const compared = isComplete ? `, ${changeOf(total, sumBefore).text}` : ''
  const legend = [
    { tone: 'now', text: 'now' },
    ...(Object.keys(earlier).length === 0 ? [] : [{ tone: 'before', text: of } as const]),
  ] as const
  return {
    title: 'Sizes',
    lead: `As they are transferred: ${bytes(total)} in all${compared}.`,
    body: pairedBars(rows, legend),
  }
}

function basesSection({ bases }: BuildReport): Section | undefined {
  const rows = baseRows(bases).map(({ name, digest, images, age, newer }) => [
    markup`<span class="name">${word(name)}</span>`,
    markup`<code class="word">${digest}</code>`,
    words(images),
    word(age),
    markup`<span class="any">${newer}</span>`,
  ])
  if (rows.length === 0) return undefined
  return {
    title: 'Base images',
    lead: 'What the images are built on, how old it is, and what a newer one would mend.',
    body: table({ head: ['base', 'digest', 'used by', 'age', 'newer'], rows }),
  }
}

function timeSection({ steps, seconds: whole }: BuildReport): Section {
  return { title: 'Time', lead: `${seconds(whole)} in all.`, body: stepsChart(steps) }
}

function checksSection({ checks }: BuildReport): Section {
  const rows = checks.map(({ file, line, message, url }) => [
    markup`<code>${file}:${line}</code>`,
    markup`<span class="any">${message}</span>`,
    link(url, url === '' ? '' : word('what it means')),
  ])
  return {
    title: 'Dockerfile checks',
    lead: "What BuildKit's own checks say.",
    body: table({ head: ['line', 'what', 'more'], rows }),
  }
}

function verifySection({ verification }: BuildReport): Section | undefined {
  if (verification === null) return undefined
  const { publicKey, commands } = verification
  const [first, ...others] = commands
  const key =
    publicKey === null
      ? nothing
      : fold(
          markup`The public key, which the commands expect in <code>${PUBLIC_KEY_FILE}</code>`,
          codeLines([publicKey.trim()]),
        )
  const all = fold(
    'The same for provenance, SBOM and scan of each image',
    others.map(({ of, claim, command }) => markup`<h3>${of}: ${claim}</h3>${codeLines([command])}`),
  )
  return {
    title: 'Verify it yourself',
    lead: 'With cosign 3. Take the key from where you trust it, not from a page that anybody could have written.',
    body: [first === undefined ? nothing : codeLines([first.command]), key, all],
  }
}

function amount(part: number, whole: number): string {
  if (part === 0) return 'none'
  return part === whole && whole > 1 ? 'all' : String(part)
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
