import type { PodTimes, Timeline } from '../rollout/timeline.ts'

/** More rows than this are no picture any more. */
const SHOWN_PODS = 40

/** A timeline as a Mermaid diagram, for a job summary: the phases of each new pod, and when requests went elsewhere. */
export function ganttOf(timeline: Timeline): string {
  const { pods, shifts, ended } = timeline
  const workloads = [...new Set(pods.map(({ workload }) => workload))].toSorted()
  const shown = new Set(pods.slice(0, SHOWN_PODS))
  const sections = workloads.flatMap((workload) => {
    const rows = pods
      .filter((pod) => pod.workload === workload && shown.has(pod))
      .flatMap((pod) => rowsOf(pod, ended))
    return rows.length === 0 ? [] : [`  section ${plain(workload)}`, ...rows]
  })
  const moves = shifts.map(
    ({ at, service, what }) => `  ${plain(`${service} to ${what}`)} :milestone, ${seconds(at)}, 0s`,
  )
  return [
    'gantt',
    '  dateFormat X',
    '  axisFormat %H:%M:%S',
    ...sections,
    ...(moves.length === 0 ? [] : ['  section requests', ...moves]),
  ].join('\n')
}

/** Whether there is anything to show. */
export function isEmpty({ pods, shifts }: Timeline): boolean {
  return pods.length + shifts.length === 0
}

/** Each phase begins where the one before has ended; one that takes no whole second is left out. */
function rowsOf(pod: PodTimes, ended: string): readonly string[] {
  const name = pod.pod.startsWith(`${pod.workload}-`)
    ? pod.pod.slice(pod.workload.length + 1)
    : pod.pod
  const row = (what: string, how: string, span: readonly [string, string]) => {
    const [from, to] = span.map(seconds)
    if (from === undefined || to === undefined || to <= from) return []
    return [`  ${plain(`${name} ${what}`)} :${how}${from}, ${to}`]
  }
  const { created, scheduled, pull, init, started, ready } = pod
  const rows = [
    ...row('waits for a node', 'done, ', [created, scheduled ?? ended]),
    ...(pull === null ? [] : row('pulls images', 'active, ', [pull.from, pull.to])),
    ...(init === null ? [] : row('init', '', [init.from, init.to])),
    ...(scheduled === null
      ? []
      : row('starts', 'done, ', [init?.to ?? pull?.to ?? scheduled, started ?? ended])),
    ...(started === null
      ? []
      : row(ready === null ? 'is not ready' : 'gets ready', ready === null ? 'crit, ' : '', [
          started,
          ready ?? ended,
        ])),
  ]
  if (rows.length > 0 || ready === null) return rows
  return [`  ${plain(`${name} ready`)} :milestone, ${seconds(ready)}, 0s`]
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
