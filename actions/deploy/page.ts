import { counted } from '../../src/counted.ts'
import { seconds } from '../../src/report/charts.ts'
import { type Html, link, markup, nothing, type Piece, word } from '../../src/report/markup.ts'
import { codeLines, fold, renderPage, type Section, table } from '../../src/report/page.ts'
import { stepsChart } from '../../src/report/steps.ts'
import type { Outcome } from '../../src/rollout/outcome.ts'
import { planLines } from '../../src/rollout/preflight/plan.ts'
import type { Comparison, Leg, SideSample } from '../../src/rollout/timeline.ts'
import { type DeployReport, plannedOf } from './deployreport.ts'
import { evidenceSection } from './evidencepage.ts'
import type { PageExtras } from './report.ts'
import { timelineSection } from './timelinepage.ts'

const GOOD: readonly Outcome[] = ['deployed', 'unchanged', 'planned', 'committed']
/** A plan that is longer is folded. */
const SHORT_PLAN = 30

/** The report of a deploy as a page. Where it failed, what the cluster said about that comes first. */
export function deployPage(report: DeployReport, extras: PageExtras = {}): string {
  const { outcome, warnings, steps, at } = report
  const { about = 'deploy', sections: own = [], texts = [] } = extras
  const sections: readonly (Section | undefined)[] = [
    ...own,
    evidenceSection(report, texts),
    imagesSection(report),
    comparisonsSection(report),
    timelineSection(report.timeline),
    workloadsSection(report),
    changesSection(report),
    warnings.length === 0
      ? undefined
      : {
          title: 'What may lose requests',
          lead: 'Said by the manifests before anything was written.',
          body: markup`<ul class="notes">${warnings.map((line) => markup`<li>${line}</li>`)}</ul>`,
        },
    steps.length === 0
      ? undefined
      : { title: 'Time', lead: `${seconds(report.seconds)} in all.`, body: stepsChart(steps) },
  ]
  return renderPage({
    about,
    tone: GOOD.includes(outcome) ? 'good' : 'bad',
    verdict: verdictOf(report),
    detail: detailOf(report),
    facts: factsOf(report),
    sections: sections.filter((section) => section !== undefined),
    at,
  })
}

/** The first line: what happened, and where it failed, why and what to do about it. */
export function verdictOf(report: DeployReport): string {
  const { outcome, environment, message, changes } = report
  const failure = report.failure ?? message
  switch (outcome) {
    case 'deployed':
      return `Deployed to ${environment} in ${seconds(report.seconds)}`
    case 'unchanged':
      return `Nothing to do: ${environment} is as the release has it`
    case 'planned':
      return changes.length === 0
        ? `Nothing would change in ${environment}`
        : `${counted(changes.length, 'object')} would change in ${environment}`
    case 'committed':
      return `Handed over to Git for ${environment}`
    case 'rolled-back':
      return `Rolled back: ${failure}`
    case 'rollback-failed':
      return `Failed, and the way back failed too: ${failure}`
    case 'failed':
      return `Failed: ${failure}`
    case 'inconclusive':
      return `Not decided: ${failure}`
    default:
      return outcome satisfies never
  }
}

function detailOf({ outcome, release, before, namespace, url, message }: DeployReport): Html {
  const open = url === '' ? nothing : markup` Open ${link(url, url)}.`
  const asked = markup`Release <code>${release}</code>.`
  switch (outcome) {
    case 'deployed':
    case 'unchanged':
      return markup`${asked}${open}`
    case 'planned':
      return markup`${asked} Nothing was written.`
    case 'committed':
      return markup`${asked} ${message}`
    case 'rolled-back':
      return before === null
        ? markup`There was no earlier release: what this deploy had created in ${namespace} is removed.${open}`
        : markup`${namespace} is back at <code>${before}</code>. Asked for was <code>${release}</code>.${open}`
    case 'rollback-failed':
    case 'failed':
    case 'inconclusive':
      return markup`${asked} ${message}`
    default:
      return outcome satisfies never
  }
}

function factsOf(report: DeployReport): readonly (readonly [string, Piece])[] {
  const { environment, namespace, strategy, timeline, changes, cause, commit } = report
  const pods = (timeline?.pods ?? []).filter(({ isNew }) => isNew)
  const asked = sumOf(timeline?.comparisons ?? [])
  const code = (text: string) => markup`<code>${text}</code>`
  return [
    ['Environment', environment],
    ['Namespace', word(namespace)],
    ['Strategy', strategy],
    ['Time', seconds(report.seconds)],
    ['Objects that differed', String(changes.length)],
    ...(pods.length === 0 ? [] : [['New pods', String(pods.length)] as const]),
    ...(asked === undefined
      ? []
      : [['Requests lost', `${asked.errors} of ${asked.answers} asked`] as const]),
    ...(cause === null ? [] : [['Cause', code(cause)] as const]),
    ...(commit === null ? [] : [['Commit', code(commit.slice(0, 12))] as const]),
  ]
}

function imagesSection({ images, outcome }: DeployReport): Section | undefined {
  if (images.length === 0) return undefined
  const changed = images.filter(({ before, after }) => before !== after)
  const rows = images.map(({ workload, container, before, after }) => [
    [markup`<span class="name">${word(workload)}</span>`, markup`<small>${container}</small>`],
    before === null ? 'nothing' : shortImage(before),
    before === after ? 'the same' : shortImage(after),
  ])
  const references = [...new Set(images.map(({ after }) => after))]
  const isBack = outcome === 'rolled-back'
  return {
    title: 'Images',
    lead: `${changed.length === 0 ? 'None differs' : `${changed.length} of ${counted(images.length, 'image')} ${changed.length === 1 ? 'differs' : 'differ'}`} from what ran before.${isBack ? ' What ran before runs again.' : ''}`,
    body: [
      table({ head: ['workload', 'before', isBack ? 'asked for' : 'now'], rows }),
      fold('The references by digest, to copy', codeLines(references)),
    ],
  }
}

/** The last part of the name, and as many digits as tell digests apart. */
function shortImage(reference: string): Html {
  const [name = '', digest] = reference.split('@')
  const digits = digest === undefined ? '' : `@${digest.slice(0, 19)}`
  return markup`<code class="any">${name.split('/').at(-1) ?? ''}${digits}</code>`
}

function comparisonsSection({ timeline }: DeployReport): Section | undefined {
  const found = timeline?.comparisons ?? []
  if (found.length === 0) return undefined
  const rows = found.map((one) => [
    markup`<span class="name">${word(one.workload)}</span>`,
    `${Math.round(one.share)} % (${one.step} % asked for)`,
    sideCell(one.canary),
    sideCell(one.baseline),
    [markup`<b>${one.verdict}</b>`, markup`<small>${one.reasons.join('; ')}</small>`],
  ])
  return {
    title: 'New pods against those of before',
    lead: 'Asked in turn, at the same time, while both took requests.',
    body: table({ head: ['workload', 'share', 'new pods', 'pods of before', 'verdict'], rows }),
  }
}

function sideCell({ answers, errors, p95, restarts }: SideSample): Piece {
  return [
    `${errors} of ${answers} lost`,
    markup`<small>p95 ${Math.round(p95)} ms, ${counted(restarts, 'restart')}</small>`,
  ]
}

function sumOf(found: readonly Comparison[]): Pick<SideSample, 'answers' | 'errors'> | undefined {
  const sides = found.flatMap(({ canary, baseline }) => [canary, baseline])
  if (sides.length === 0) return undefined
  const sum = (key: 'answers' | 'errors') => sides.reduce((total, one) => total + one[key], 0)
  return { answers: sum('answers'), errors: sum('errors') }
}

function workloadsSection({ timeline }: DeployReport): Section | undefined {
  const legs = (timeline?.legs ?? []).filter(({ workloads }) => workloads.length > 0)
  if (legs.length === 0) return undefined
  const isBack = legs.some(({ isWayBack }) => isWayBack)
  const title = (leg: Leg) =>
    isBack
      ? markup`<h3>${leg.isWayBack ? 'After the way back' : 'Where the rollout ended'}</h3>`
      : nothing
  return {
    title: 'Workloads',
    lead: 'As the cluster counted their pods at the end.',
    body: legs.map((leg) => [title(leg), workloadTable(leg)]),
  }
}

function workloadTable({ workloads }: Leg): Html {
  const rows = workloads.map(({ short, state, detail, doing, pods }) => [
    markup`<span class="name">${word(short)}</span>`,
    ...(['desired', 'updated', 'ready', 'available'] as const).map((key) =>
      pods === undefined ? '–' : String(pods[key]),
    ),
    state === 'ready'
      ? markup`<span class="down">${detail}</span>`
      : markup`<span class="up">${doing}</span>`,
  ])
  const head = ['workload', 'desired', 'updated', 'ready', 'available', 'state']
  return table({ head, rows, numbers: [1, 2, 3, 4] })
}

function changesSection(report: DeployReport): Section | undefined {
  const { planHash } = report
  const changes = plannedOf(report)
  if (changes.length === 0) return undefined
  const lines = planLines({ hash: planHash, changes })
  const count = (action: string) => changes.filter((one) => one.action === action).length
  return {
    title: 'Changes',
    lead: markup`The plan: ${count('create')} to create, ${count('update')} to change, ${count('delete')} to remove. Values of Secrets are masked. Hash of the plan <code>${planHash}</code>`,
    body: fold(counted(lines.length, 'line'), planBlock(lines), lines.length <= SHORT_PLAN),
  }
}

function planBlock(lines: readonly string[]): Html {
  const marked = lines.map((line, index) => {
    const tone = /^\s*\+ /.test(line) ? 'plus' : /^\s*- /.test(line) ? 'minus' : ''
    const end = index === lines.length - 1 ? '' : '\n'
    return tone === '' ? markup`${line}${end}` : markup`<span class="${tone}">${line}</span>${end}`
  })
  return markup`<pre tabindex="0"><code>${marked}</code></pre>`
}
