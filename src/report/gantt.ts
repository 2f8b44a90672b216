import type { PodTimes, Timeline } from '../rollout/timeline.ts'
import {
  legWords,
  type PhaseName,
  PHASE_WORDS,
  phasesOf,
  podsByWorkload,
  shortName,
} from './phases.ts'

/** How Mermaid draws each phase; null: not at all, since a row says one thing only and this one says nothing new. */
const TAGS: Readonly<Record<PhaseName, string | null>> = {
  node: 'done, ',
  pull: 'active, ',
  init: '',
  start: 'done, ',
  probe: '',
  unready: 'crit, ',
  serve: null,
  leave: 'done, ',
}

/** A timeline as a Mermaid diagram, for a job summary: waves, the phases of each pod, and when requests went elsewhere. */
export function ganttOf(timeline: Timeline): string {
  const { shifts, legs } = timeline
  const waves = legs.flatMap((leg) => {
    const rows = leg.waves.flatMap(({ name, from, to, isDone }) =>
      row(name, isDone ? '' : 'crit, ', [seconds(from), seconds(to)]),
    )
    return rows.length === 0 ? [] : [`  section ${legWords(leg)}`, ...rows]
  })
  const pods = podsByWorkload(timeline).groups.flatMap(([workload, list]) => {
    const rows = list.flatMap((pod) => rowsOf(pod, timeline))
    return rows.length === 0 ? [] : [`  section ${plain(workload)}`, ...rows]
  })
  const moves = shifts.map(
    ({ at, service, what }) => `  ${plain(`${service} to ${what}`)} :milestone, ${seconds(at)}, 0s`,
  )
  return [
    'gantt',
    '  dateFormat X',
    '  axisFormat %H:%M:%S',
    ...waves,
    ...pods,
    ...(moves.length === 0 ? [] : ['  section requests', ...moves]),
  ].join('\n')
}

/** Whether there is anything to show. */
export function isEmpty({ pods, shifts }: Timeline): boolean {
  return pods.length + shifts.length === 0
}

/** One that takes no whole second is left out. */
function rowsOf(pod: PodTimes, timeline: Timeline): readonly string[] {
  const name = shortName(pod)
  const rows = phasesOf(pod, timeline).flatMap((phase) => {
    const tag = TAGS[phase.name]
    const span = [Math.floor(phase.from / 1000), Math.floor(phase.to / 1000)] as const
    return tag === null ? [] : row(`${name} ${PHASE_WORDS[phase.name]}`, tag, span)
  })
  if (rows.length > 0 || pod.ready === null) return rows
  return [`  ${plain(`${name} ready`)} :milestone, ${seconds(pod.ready)}, 0s`]
}

function row(title: string, tag: string, [from, to]: readonly [number, number]): readonly string[] {
  return to <= from ? [] : [`  ${plain(title)} :${tag}${from}, ${to}`]
}

/** What Mermaid takes for its own is left out of names. */
function plain(text: string): string {
  return text
    .replaceAll(/[:;#,]+/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

function seconds(time: string): number {
  return Math.floor(Date.parse(time) / 1000)
}
