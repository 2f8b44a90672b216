import type { PodCounts, Row, Waves } from '../world.ts'
import { fit, pad, widthOf } from './region.ts'

/** A row, and how long it took or has taken so far. */
export type TimedRow = { readonly row: Row; readonly seconds: number }

export type LiveView = {
  readonly rows: readonly TimedRow[]
  /** Lines of their own, such as how long old pods are still kept. */
  readonly lines: readonly string[]
  readonly waves: Waves | undefined
  readonly seconds: number
}

export type Size = { readonly columns: number; readonly rows: number }

export type Paint = Readonly<Record<'good' | 'bad' | 'soft', (text: string) => string>>

export const noPaint: Paint = { good: String, bad: String, soft: String }

export const colours: Paint = {
  good: (text) => `\x1b[32m${text}\x1b[39m`,
  bad: (text) => `\x1b[31m${text}\x1b[39m`,
  soft: (text) => `\x1b[2m${text}\x1b[22m`,
}

const MARKS = { ready: '✓', waiting: '…', failed: '✗' } as const
const HEADS = { desired: 'desired', updated: 'updated', ready: 'ready', available: 'available' }
const COUNTS = Object.keys(HEADS) as readonly (keyof PodCounts)[]
const LONGEST_NAME = 40
/** Less of the state says nothing. */
const LEAST_STATE = 14
const TIME = 9
/** In a window that is lower there is room for one line only. */
const LEAST_ROWS = 6
const INDENT = 2

/** The picture of a rollout as lines that fit the window: columns are left out where it is narrow, rows that are ready where it is low. */
export function tableLines(view: LiveView, size: Size, paint: Paint): readonly string[] {
  // The last column stays free: a terminal may break a line that is full.
  const columns = Math.max(10, size.columns - 1)
  const foot = footOf(view)
  if (size.rows < LEAST_ROWS || view.rows.length === 0)
    return [...view.lines.slice(0, Math.max(0, size.rows - 2)), foot]
      .filter((line) => line !== '')
      .map((line) => ' '.repeat(INDENT) + fit(line, columns - INDENT))
  const room = Math.max(1, size.rows - 4 - view.lines.length)
  const { kept, left } = chosen(view.rows, room)
  const layout = layoutOf(kept, columns)
  const more = left === 0 ? [] : [fit(`  and ${left} more`, columns)]
  return [
    paint.soft(headOf(layout)),
    ...kept.map((one) => rowOf(one, layout, paint)),
    ...more.map(paint.soft),
    ...view.lines.map((line) => ' '.repeat(INDENT) + fit(line, columns - INDENT)),
    ...(foot === '' ? [] : [paint.soft(' '.repeat(INDENT) + fit(foot, columns - INDENT))]),
  ]
}

/** Those that are not ready are what people look for. */
function chosen(
  rows: readonly TimedRow[],
  room: number,
): { readonly kept: readonly TimedRow[]; readonly left: number } {
  if (rows.length <= room) return { kept: rows, left: 0 }
  const open = rows.filter(({ row }) => row.state !== 'ready')
  const done = rows.filter(({ row }) => row.state === 'ready')
  const first = new Set([...open, ...done].slice(0, Math.max(1, room - 1)))
  return { kept: rows.filter((one) => first.has(one)), left: rows.length - first.size }
}

type Layout = {
  readonly name: number
  readonly counts: 'all' | 'one' | 'none'
  readonly state: number
  readonly time: number
}

/** As many columns as the window has room for. */
function layoutOf(rows: readonly TimedRow[], columns: number): Layout {
  const longest = Math.max(8, ...rows.map(({ row }) => widthOf(row.short)))
  const name = Math.min(longest, LONGEST_NAME, Math.max(8, Math.floor(columns / 2) - 4))
  const mark = 2 + INDENT
  const all = COUNTS.reduce((sum, key) => sum + HEADS[key].length + 2, 0)
  const rests = [
    { counts: 'all', taken: all + TIME, time: TIME },
    { counts: 'one', taken: 8 + TIME, time: TIME },
    { counts: 'none', taken: 0, time: 0 },
  ] as const
  for (const { counts, taken, time } of rests) {
    const state = columns - mark - name - taken - 2
    if (state >= LEAST_STATE || counts === 'none')
      return { name, counts, state: Math.max(1, state), time }
  }
  return { name, counts: 'none', state: LEAST_STATE, time: 0 }
}

function headOf({ name, counts, state, time }: Layout): string {
  const heads = { all: COUNTS.map((key) => `  ${HEADS[key]}`).join(''), one: '  pods  ', none: '' }
  const last = time === 0 ? '' : pad('time', time, 'right')
  return `${' '.repeat(INDENT + 2)}${pad('workload', name)}${heads[counts]}  ${pad('state', state)}${last}`.trimEnd()
}

function rowOf({ row, seconds }: TimedRow, layout: Layout, paint: Paint): string {
  const { name, counts, state, time } = layout
  const tone = { ready: paint.good, waiting: String, failed: paint.bad }[row.state]
  const words = row.state === 'ready' && row.pods !== undefined ? 'ready' : row.doing
  const last = time === 0 ? '' : paint.soft(pad(duration(seconds), time, 'right'))
  const cells = {
    all: () =>
      COUNTS.map((key) => `  ${pad(String(row.pods?.[key] ?? '–'), HEADS[key].length, 'right')}`),
    one: () => [`  ${pad(shareOf(row.pods), 6)}`],
    none: () => [],
  }
    [counts]()
    .join('')
  return `${' '.repeat(INDENT)}${tone(MARKS[row.state])} ${pad(row.short, name)}${cells}  ${tone(pad(words, state))}${last}`
}

function shareOf(pods: PodCounts | undefined): string {
  return pods === undefined ? '–' : `${Math.min(pods.available, pods.updated)}/${pods.desired}`
}

/** `wave 3 of 6: workloads, then routes · 12 s` */
function footOf({ waves, seconds }: LiveView): string {
  if (waves === undefined) return ''
  const { done, all, now, later } = waves
  const where = done >= all ? `all ${all} waves written` : `wave ${done + 1} of ${all}: ${now}`
  const then = later.length === 0 ? '' : `, then ${later.join(', ')}`
  return `${duration(seconds)} · ${where}${then}`
}

/** `7 s`, `2 min 05 s` */
export function duration(seconds: number): string {
  const whole = Math.floor(seconds)
  if (whole < 60) return `${whole} s`
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
}
