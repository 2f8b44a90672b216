import { counted } from '../../src/counted.ts'
import {
  groupedTimeline,
  type Legend,
  seconds,
  type Span,
  type TimeRow,
  type Tone,
} from '../../src/report/charts.ts'
import { markup, nothing } from '../../src/report/markup.ts'
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
  old: { tone: 'before', text: 'requests to the pods of before' },
  both: { tone: 'medium', text: 'requests to both' },
  new: { tone: 'good', text: 'requests to the new pods' },
}

const LAST: Readonly<Record<Side, string>> = {
  old: 'the pods of before',
  both: 'both',
  new: 'the new pods',
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
      groupedTimeline(
        [
          ...story.legs.map((leg) => ({ title: legTitle(leg), rows: waveRows(leg, scale) })),
          { title: 'Where requests went', rows: requestRows(scale) },
          ...groups.map(([workload, pods]) => ({
            ...{ title: `Pods of ${workload}`, rows: podRows(pods, scale) },
          })),
        ],
        legendOf(story),
      ),
      left === 0
        ? nothing
        : markup`<p class="quiet">${left} more pods are in the report in JSON.</p>`,
    ],
  }
}

function legTitle({ isWayBack }: Leg): string {
  return isWayBack ? 'The way back, wave by wave' : 'Wave by wave'
}

function waveRows(leg: Leg, scale: Scale): readonly TimeRow[] {
  return leg.waves.map(({ name, from, to, isDone }) => {
    const span = spanOf(isDone ? 'now' : 'bad', { from, to }, scale)
    const took = seconds((Date.parse(to) - Date.parse(from)) / 1000)
    const words = isDone ? took : `ended after ${took}`
    return { label: name, spans: [{ ...span, text: `${name}: ${words}` }], words }
  })
}

/** Which pods each Service led to. */
function requestRows(scale: Scale): readonly TimeRow[] {
  const { shifts, ended } = scale.story
  const services = [...new Set(shifts.map(({ service }) => service))]
  return services.map((service) => {
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
    const words = `at last ${LAST[own.at(-1)?.side ?? 'old']}`
    return { label: service, spans: spans.filter(isSeen), words }
  })
}

function podRows(pods: readonly PodTimes[], scale: Scale): readonly TimeRow[] {
  return pods.map((pod) => ({
    label: shortName(pod),
    spans: phasesOf(pod, scale.story)
      .map(({ name, from, to }) => {
        const span = spanOf(TONES[name], { from, to }, scale)
        return { ...span, text: `${PHASE_WORDS[name]}: ${seconds((to - from) / 1000)}` }
      })
      .filter(isSeen),
    words: wordsOf(pod),
  }))
}

/** Only what is there to be seen. */
function legendOf(story: Timeline): Legend {
  const sides = new Set(story.shifts.map(({ side }) => side))
  const used = new Set(story.pods.flatMap((pod) => phasesOf(pod, story).map(({ name }) => name)))
  return [
    ...(Object.keys(TONES) as PhaseName[])
      .filter((name) => used.has(name))
      .map((name) => ({ tone: TONES[name], text: PHASE_WORDS[name] })),
    ...(sides.size === 0 ? [] : [SIDES.old]),
    ...(sides.has('both') ? [SIDES.both] : []),
    ...(sides.has('new') ? [SIDES.new] : []),
  ]
}

function wordsOf(pod: PodTimes): string {
  const { isNew, created, ready, leaving, gone, restarts } = pod
  const again = restarts === 0 ? '' : `, ${counted(restarts, 'restart')}`
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
