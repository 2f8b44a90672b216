import { seconds, timeline } from '../../src/report/charts.ts'
import { markup, word } from '../../src/report/markup.ts'
import { renderPage, type Section, table } from '../../src/report/page.ts'
import { type Step, stepsChart } from '../../src/report/steps.ts'
import type { Verdict } from '../../src/verify/verify.ts'

const MARKS = { pass: '✓', fail: '✗', inconclusive: '?' } as const
const TONES = { pass: 'good', fail: 'bad', inconclusive: 'medium' } as const
const WORDS = { pass: 'passed', fail: 'failed', inconclusive: 'could not be found out' } as const

/** A verdict as a page: what is so, what is not, and how long finding out took. */
export function verdictPage(verdict: Verdict, steps: readonly Step[]): string {
  const { environment, namespace, profile, release, at } = verdict
  return renderPage({
    about: 'verify',
    tone: verdict.verdict === 'pass' ? 'good' : 'bad',
    verdict: verdictLine(verdict),
    detail: markup`Release <code>${release}</code>`,
    facts: [
      ['Environment', environment],
      ['Namespace', word(namespace)],
      ['Checks', `${countOf(verdict, 'pass')} of ${verdict.checks.length} passed`],
      ['Profile', `${profile}${verdict.complete ? '' : ', not all of its checks'}`],
      ['Time', seconds(verdict.seconds)],
    ],
    sections: [
      checksSection(verdict),
      timesSection(verdict),
      ...(steps.length === 0 ? [] : [{ title: 'Steps', body: stepsChart(steps) }]),
    ],
    at,
  })
}

function verdictLine(verdict: Verdict): string {
  const { environment, checks } = verdict
  const [first] = sorted(verdict)
  if (verdict.verdict === 'pass' || first === undefined)
    return `${environment} passed: ${checks.length} of ${checks.length} checks`
  const said = `${first.check}: ${first.name}: ${first.detail}`
  return verdict.verdict === 'fail'
    ? `${environment} failed: ${said}`
    : `${environment} can't be judged: ${said}`
}

function checksSection(verdict: Verdict): Section {
  const rows = sorted(verdict).map(({ status, check, name, detail, seconds: took }) => [
    markup`<b>${MARKS[status]} ${WORDS[status]}</b>`,
    word(check),
    markup`<span class="any">${name}</span>`,
    markup`<span class="any">${detail}</span>`,
    seconds(took),
  ])
  return {
    title: 'Checks',
    lead: 'What did not pass comes first.',
    body: table({ head: ['result', 'check', 'what', 'seen', 'time'], rows, numbers: [4] }),
  }
}

function timesSection({ checks }: Verdict): Section {
  const kinds = [...new Set(checks.map(({ check }) => check))]
  const rows = kinds.map((kind) => {
    const own = checks.filter(({ check }) => check === kind)
    const longest = Math.max(...own.map(({ seconds: took }) => took))
    const worst = own.find(({ status }) => status !== 'pass')?.status ?? 'pass'
    const text = `${kind}: ${seconds(longest)}`
    return {
      label: kind,
      spans: [{ tone: TONES[worst], start: 0, end: longest, text }],
      words: `${own.length} asked, the slowest ${seconds(longest)}`,
    }
  })
  return { title: 'Time', lead: 'The slowest answer of each check.', body: timeline(rows, []) }
}

function sorted({ checks }: Verdict): Verdict['checks'] {
  const order = ['fail', 'inconclusive', 'pass']
  return checks.toSorted((a, b) => order.indexOf(a.status) - order.indexOf(b.status))
}

function countOf({ checks }: Verdict, status: 'pass'): number {
  return checks.filter((one) => one.status === status).length
}
