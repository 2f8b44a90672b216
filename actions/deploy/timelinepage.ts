import { type Legend, seconds, type Span, timeline, type Tone } from '../../src/report/charts.ts'
import { type Html, markup, nothing } from '../../src/report/markup.ts'
import type { Section } from '../../src/report/page.ts'
import {
  type PhaseName,
  PHASE_WORDS,
  phasesOf,
  podsByWorkload,
  shortName,
} from '../../src/report/phases.ts'
import type { Leg, PodTimes, Side, Timeline } from '../../src/rollout/timeline.ts'

const TONES: Readonly<Record<PhaseName, Tone>> = {
  node: 'wait',
  pull: 'medium',
  init: 'unknown',
  start: 'low',
  probe: 'now',
  unready: 'bad',
  serve: 'good',
  leave: 'high',
}

const SIDES: Readonly<Record<Side, { readonly tone: Tone; readonly text: string }>> = {
  old: { tone: 'before', text: 'the pods of before' },
  both: { tone: 'medium', text: 'both' },
  new: { tone: 'good', text: 'the new pods' },
}

/** One line of time for all charts: in seconds since the first write. */
type Scale = { readonly start: number; readonly length: number; readonly story: Timeline }

/** When what came: waves, where the requests went, and each pod from its making to its end. */
export function timelineSection(story: Timeline | null): Section | undefined {
  if (story === null || story.legs.length + story.pods.length === 0) return undefined
  const start = Date.parse(story.legs[0]?.from ?? story.began)
  const scale = { story, start, length: (Date.parse(story.ended) - start) / 1000 }
  const { groups, left } = podsByWorkload(story)
  return {
    title: 'Timeline',
    lead: `${seconds(scale.length)} from the first write to the end. The cluster tells the times of pods in whole seconds.`,
    body: [
      ...story.legs.map((leg) => wavesChart(leg, scale)),
      requestsChart(scale),
      ...groups.map(([workload, pods], index) =>
        podsChart({ workload, pods, isLast: index === groups.length - 1 }, scale),
      ),
      left === 0
        ? nothing
        : markup`<p class="quiet">${left} more pods are in the report in JSON.</p>`,
    ],
  }
}

function wavesChart(leg: Leg, scale: Scale): Html {
  const rows = leg.waves.map(({ name, from, to, isDone }) => {
    const span = spanOf(isDone ? (leg.isWayBack ? 'high' : 'now') : 'bad', { from, to }, scale)
    const took = seconds((Date.parse(to) - Date.parse(from)) / 1000)
    const words = isDone ? took : `ended after ${took}`
    return { label: name, spans: [{ ...span, text: `${name}: ${words}` }], words }
  })
  if (rows.length === 0) return nothing
  const title = leg.isWayBack ? 'The way back, wave by wave' : 'Wave by wave'
  return markup`<h3>${title}</h3>${timeline(rows, [], scale.length)}`
}

/** Which pods each Service led to. */
function requestsChart(scale: Scale): Html {
  const { shifts, ended } = scale.story
  const services = [...new Set(shifts.map(({ service }) => service))]
  if (services.length === 0) return nothing
  const rows = services.map((service) => {
    const own = shifts.filter((shift) => shift.service === service)
    const begin = {
      at: new Date(scale.start).toISOString(),
      side: 'old',
      what: 'as before',
    } as const
    const spans = [begin, ...own].map(({ at, side, what }, index) => {
      const span = spanOf(SIDES[side].tone, { from: at, to: own[index]?.at ?? ended }, scale)
      return { ...span, text: `${service} leads to ${what}` }
    })
    return {
      label: service,
      spans: spans.filter(isSeen),
      words: `at last to ${own.at(-1)?.what ?? ''}`,
    }
  })
  const used = new Set(shifts.map(({ side }) => side)).add('old')
  const legend = [...used].map((side) => SIDES[side])
  return markup`<h3>Where requests went</h3>${timeline(rows, legend, scale.length)}`
}

function podsChart(
  group: {
    readonly workload: string
    readonly pods: readonly PodTimes[]
    readonly isLast: boolean
  },
  scale: Scale,
): Html {
  const rows = group.pods.map((pod) => ({
    label: shortName(pod),
    spans: phasesOf(pod, scale.story)
      .map(({ name, from, to }) => {
        const span = spanOf(TONES[name], { from, to }, scale)
        return { ...span, text: `${PHASE_WORDS[name]}: ${seconds((to - from) / 1000)}` }
      })
      .filter(isSeen),
    words: wordsOf(pod),
  }))
  const chart = timeline(rows, group.isLast ? legendOf(scale.story) : [], scale.length)
  return markup`<h3>Pods of ${group.workload}</h3>${chart}`
}

/** Only what is there to be seen. */
function legendOf(story: Timeline): Legend {
  const used = new Set(story.pods.flatMap((pod) => phasesOf(pod, story).map(({ name }) => name)))
  return (Object.keys(TONES) as PhaseName[])
    .filter((name) => used.has(name))
    .map((name) => ({ tone: TONES[name], text: PHASE_WORDS[name] }))
}

function wordsOf(pod: PodTimes): string {
  const { isNew, created, ready, leaving, gone, restarts } = pod
  const again = restarts === 0 ? '' : `, ${restarts} ${restarts === 1 ? 'restart' : 'restarts'}`
  const end = leaving === null && gone === null ? '' : gone === null ? ', was ending' : ', ended'
  if (!isNew) return `of before${again}${end}`
  if (ready === null) return `never ready${again}${end}`
  return `ready after ${seconds((Date.parse(ready) - Date.parse(created)) / 1000)}${again}${end}`
}

function spanOf(
  tone: Tone,
  { from, to }: { readonly from: string | number; readonly to: string | number },
  { start, length }: Scale,
): Omit<Span, 'text'> {
  const place = (time: string | number) =>
    Math.min(length, Math.max(0, (new Date(time).getTime() - start) / 1000))
  return { tone, start: place(from), end: place(to) }
}

/** What was over before the first write. */
function isSeen({ start, end }: { readonly start: number; readonly end: number }): boolean {
  return end > start
}
