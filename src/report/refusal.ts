import { seconds } from './charts.ts'
import { codeBlock, plainText } from './markdown.ts'
import { stepsDiagram } from './mermaid.ts'
import { codeLines, renderPage } from './page.ts'
import { type Step, stepsChart } from './steps.ts'
import { fitSummary } from './summary.ts'

/** A run that ended before there was anything to report on but why. */
export type Refusal = {
  /** The command that refused. */
  readonly about: string
  readonly message: string
  readonly details: readonly string[]
  readonly steps: readonly Step[]
  readonly seconds: number
  readonly at: Date
  /** What it means: what was changed, or that nothing was. */
  readonly consequence: string
}

/** The page of a refusal: the cause, what was found, and how far it came. */
export function refusalPage(refusal: Refusal): string {
  const { about, message, details, steps, seconds: whole, at, consequence } = refusal
  const done = steps.filter(({ state }) => state === 'done').length
  return renderPage({
    about,
    tone: 'bad',
    verdict: message,
    detail: consequence,
    facts: [
      ['Time', seconds(whole)],
      ['Steps that were done', `${done} of ${steps.length}`],
    ],
    sections: [
      ...(details.length === 0 ? [] : [{ title: 'Details', body: codeLines(details) }]),
      ...(steps.length === 0 ? [] : [{ title: 'Time', body: stepsChart(steps) }]),
    ],
    at: at.toISOString(),
  })
}

/** The same for a job summary. */
export function refusalSummary({ message, details, steps, consequence }: Refusal): string {
  const parts = [
    { head: `## ✗ ${plainText(message).slice(0, LONGEST_TITLE)}` },
    { head: consequence },
    { head: details.length === 0 ? '' : codeBlock(details.slice(-LAST_LINES)) },
    { head: steps.length === 0 ? '' : stepsDiagram(steps) },
  ]
  return fitSummary(parts, 'the report')
}

const LONGEST_TITLE = 1000
const LAST_LINES = 100
