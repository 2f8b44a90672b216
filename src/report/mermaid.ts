import type { Step } from './steps.ts'

const TAGS = { done: '', failed: 'crit, ', unfinished: 'active, ' } as const
/** Mermaid draws nothing at all where a chart is too long. */
const MOST_STEPS = 60

/** The steps as a chart that GitHub draws out of Markdown. Titles keep only characters that mean nothing to Mermaid. */
export function stepsDiagram(steps: readonly Step[]): string {
  const lines = steps.slice(0, MOST_STEPS).map(({ title, start, seconds, state }) => {
    const name = title.replace(/[^\p{L}\p{N} ().,/_-]/gu, ' ').trim() || 'step'
    const end = Math.max(start + seconds, start + 0.05)
    return `  ${name} (${seconds.toFixed(1)} s) :${TAGS[state]}${clock(start)}, ${clock(end)}`
  })
  return [
    '```mermaid',
    'gantt',
    '  dateFormat HH:mm:ss.SSS',
    '  axisFormat %M:%S',
    '  todayMarker off',
    ...lines,
    '```',
  ].join('\n')
}

/** A time of day: Mermaid reads and writes those in one zone, whichever it is. */
function clock(seconds: number): string {
  return new Date(Math.round(seconds * 1000)).toISOString().slice(11, 23)
}
