import { type Html, markup, nothing, word } from './markup.ts'

/** What a colour stands for; `pagestyle.ts` gives each one for light and for dark. */
export type Tone =
  | 'critical'
  | 'high'
  | 'medium'
  | 'low'
  | 'negligible'
  | 'unknown'
  | 'now'
  | 'before'
  | 'good'
  | 'bad'
  | 'wait'

/** One row of a chart: its name, its bar, and in words what the bar says, for those who can't see it. */
type Row = { readonly label: string; readonly bar: Html; readonly words: string | Html }

export type Legend = readonly { readonly tone: Tone; readonly text: string }[]

export type Part = { readonly tone: Tone; readonly value: number }

/** A stretch of time, in seconds since the chart begins. */
export type Span = {
  readonly tone: Tone
  readonly start: number
  readonly end: number
  /** Shown when the mouse rests on it. */
  readonly text: string
}

const BAR_HEIGHT = 16
const SPAN_HEIGHT = 12
/** Bars of a pair: what was above what is. */
const PAIR = { before: { y: 0, height: 6 }, now: { y: 7, height: 9 } } as const
/** Names of times must not touch each other on a narrow telephone. */
const MOST_TICKS = 5
const TICK_SECONDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200]

/** Bars of several colours, all on one scale: how much there is of each kind, row by row. */
export function stackedBars(
  rows: readonly { label: string; parts: readonly Part[]; words: string | Html }[],
  legend: Legend,
): Html {
  const longest = Math.max(...rows.map(({ parts }) => sum(parts)), 1)
  const drawn = rows.map(({ label, parts, words }) => {
    let x = 0
    const rects = parts.map(({ tone, value }) => {
      const start = x
      x += value / longest
      return rect(tone, { x: start, width: value / longest }, { y: 0, height: BAR_HEIGHT })
    })
    return { label, words, bar: drawing(BAR_HEIGHT, rects) }
  })
  return chart(drawn, legend)
}

/** Two bars a row, what was and what is, all on one scale. `before` is undefined where nobody knows it. */
export function pairedBars(
  rows: readonly {
    label: string
    before: number | undefined
    now: number
    words: string | Html
  }[],
  legend: Legend,
): Html {
  const longest = Math.max(...rows.flatMap(({ before, now }) => [before ?? 0, now]), 1)
  const drawn = rows.map(({ label, before, now, words }) => {
    const old =
      before === undefined ? [] : [rect('before', { x: 0, width: before / longest }, PAIR.before)]
    const bars = [...old, rect('now', { x: 0, width: now / longest }, PAIR.now)]
    return { label, words, bar: drawing(BAR_HEIGHT, bars) }
  })
  return chart(drawn, legend)
}

/** One thing on a line of time, with as many stretches as it went through. */
export type TimeRow = {
  readonly label: string
  readonly spans: readonly Span[]
  readonly words: string | Html
}

/** When things happened, on one line of time: one row a thing. */
export function timeline(rows: readonly TimeRow[], legend: Legend): Html {
  return groupedTimeline([{ title: '', rows }], legend)
}

/** The same for things of several kinds, each under its title. */
export function groupedTimeline(
  groups: readonly { readonly title: string; readonly rows: readonly TimeRow[] }[],
  legend: Legend,
): Html {
  const all = groups.flatMap(({ rows }) => rows)
  const last = Math.max(...all.flatMap(({ spans }) => spans.map(({ end }) => end)), 0.1)
  const ticks = ticksOf(last)
  const grid = ticks.map(
    (tick) =>
      markup`<line
        class="grid"
        x1="${percent(tick / last)}"
        x2="${percent(tick / last)}"
        y1="0"
        y2="100%"
      />`,
  )
  const draw = ({ label, spans, words }: TimeRow): Row => {
    const bars = spans.map(({ tone, start, end, text }) =>
      rect(
        tone,
        { x: start / last, width: (end - start) / last },
        { y: 2, height: SPAN_HEIGHT, text },
      ),
    )
    return { label, words, bar: drawing(BAR_HEIGHT, [...grid, ...bars]) }
  }
  const names = ticks.map((tick, index) => {
    const anchor = index === 0 ? 'start' : tick / last > 0.92 ? 'end' : 'middle'
    return markup`<text x="${percent(tick / last)}" y="13" text-anchor="${anchor}">
      ${seconds(tick)}
    </text>`
  })
  const axis = { label: '', bar: drawing(BAR_HEIGHT, names), words: '' }
  const drawn = groups.flatMap(({ title, rows }) => [
    ...(title === '' || rows.length === 0 ? [] : [title]),
    ...rows.map(draw),
  ])
  return chart([...drawn, axis], legend)
}

/** Seconds for people: `0.4 s`, `12 s`, `3 min 05 s`. */
export function seconds(count: number): string {
  if (count > 0 && count < 0.05) return '< 0.1 s'
  if (count < 10) return `${Number(count.toFixed(1))} s`
  const whole = Math.round(count)
  if (whole < 60) return `${whole} s`
  const rest = whole % 60
  const minutes = `${Math.floor(whole / 60)} min`
  return rest === 0 ? minutes : `${minutes} ${String(rest).padStart(2, '0')} s`
}

/** The times that are named below a line of time of this length, 0 first. */
export function ticksOf(length: number): readonly number[] {
  const fitting = TICK_SECONDS.find((one) => length / one < MOST_TICKS)
  const step = fitting ?? Math.ceil(length / MOST_TICKS / 3600) * 3600
  const count = Math.floor(length / step) + 1
  return Array.from({ length: count }, (_, index) => Number((index * step).toFixed(1)))
}

/** Rows, and titles of those that follow. */
function chart(rows: readonly (Row | string)[], legend: Legend): Html {
  const items = rows.map((row) => {
    if (typeof row === 'string') return markup`<li class="group"><h3>${row}</h3></li>`
    const { label, bar, words } = row
    return markup`<li${label === '' ? markup` class="axis" aria-hidden="true"` : nothing}>
        <span class="label">${word(label)}</span><span class="plot">${bar}</span
        ><span class="words">${words}</span>
      </li>`
  })
  const keys = legend.map(
    ({ tone, text }) =>
      markup`<li><svg class="key" aria-hidden="true"><rect width="100%" height="100%" class="tone-${tone}" /></svg>${text}</li>`,
  )
  return markup`<figure class="chart">
    <ul class="rows">
      ${items}
    </ul>
    ${legend.length === 0 ? nothing : markup`<ul class="legend">${keys}</ul>`}
  </figure>`
}

/** Lengths are parts of the whole width and heights are pixels: so a bar fits any screen, and its text keeps its size. */
function drawing(height: number, content: readonly Html[]): Html {
  return markup`<svg width="100%" height="${height}" aria-hidden="true" focusable="false">${content}</svg>`
}

function rect(
  tone: Tone,
  along: { readonly x: number; readonly width: number },
  across: { readonly y: number; readonly height: number; readonly text?: string },
): Html {
  if (along.width <= 0 && across.text === undefined) return nothing
  const { y, height, text } = across
  const title = text === undefined ? nothing : markup`<title>${text}</title>`
  // A stretch of time is seen however short it is.
  const kind = text === undefined ? `tone-${tone}` : `tone-${tone} span`
  return markup`<rect class="${kind}" x="${percent(along.x)}" y="${y}" width="${percent(along.width)}" height="${height}" rx="2">${title}</rect>`
}

function percent(part: number): string {
  return `${Number((part * 100).toFixed(2))}%`
}

function sum(parts: readonly Part[]): number {
  return parts.reduce((total, { value }) => total + value, 0)
}
