import { describe, expect, it } from '@jest/globals'
import { pairedBars, seconds, stackedBars, ticksOf, timeline } from './charts.ts'

/** The bars of a chart: colour, begin and width. */
function barsOf({ html }: { readonly html: string }): readonly string[] {
  return [
    ...html.matchAll(/<rect class="tone-(\w+)[^"]*" x="([^"]*)" y="\d+" width="([^"]*)"/g),
  ].map(([, tone, x, width]) => `${tone ?? ''} ${x ?? ''} ${width ?? ''}`)
}

describe('a chart', () => {
  it('of stacked bars has one scale for all rows, and no bar for what there is nothing of', () => {
    const part = (tone: 'critical' | 'low', value: number) => ({ tone, value })
    const rows = [
      { label: 'a', parts: [part('critical', 1), part('low', 3)], words: '' },
      { label: 'b', parts: [part('critical', 0), part('low', 1)], words: '' },
      { label: 'c', parts: [part('critical', 0), part('low', 0)], words: '' },
    ]
    expect(barsOf(stackedBars(rows, []))).toEqual(['critical 0% 25%', 'low 25% 75%', 'low 0% 25%'])
  })

  it('of paired bars leaves out what is not known', () => {
    const rows = [
      { label: 'a', before: 50, now: 100, words: '' },
      { label: 'b', before: undefined, now: 25, words: '' },
    ]
    expect(barsOf(pairedBars(rows, []))).toEqual(['before 0% 50%', 'now 0% 100%', 'now 0% 25%'])
  })

  it('of times shows every stretch, one that took no time as well, and says in words what it is', () => {
    const span = (start: number, end: number) =>
      ({ tone: 'now', start, end, text: '<pulled>' }) as const
    const rows = [{ label: 'pod', spans: [span(0, 5), span(5, 5), span(5, 20)], words: '20 s' }]
    const drawn = timeline(rows, [{ tone: 'now', text: 'pull' }])
    expect(barsOf(drawn)).toEqual(['now 0% 25%', 'now 25% 0%', 'now 25% 75%'])
    expect(drawn.html).toContain('<title>&lt;pulled&gt;</title>')
    expect(
      drawn.html.match(/<text [^>]*>\s*[^<]*/g)?.map((one) => one.replace(/<[^>]*>\s*/, '').trim()),
    ).toEqual(['0 s', '5 s', '10 s', '15 s', '20 s'])
  })

  it('of nothing at all is still a chart', () => {
    expect(barsOf(stackedBars([], []))).toEqual([])
    expect(timeline([], []).html).toContain('<figure')
  })

  it.each([
    { length: 0.1, ticks: [0, 0.1] },
    { length: 9, ticks: [0, 2, 4, 6, 8] },
    { length: 87, ticks: [0, 30, 60] },
    { length: 3599, ticks: [0, 900, 1800, 2700] },
    { length: 100_000, ticks: [0, 21_600, 43_200, 64_800, 86_400] },
  ])('of $length seconds names the times $ticks', ({ length, ticks }) => {
    expect(ticksOf(length)).toEqual(ticks)
  })

  it.each([
    { count: 0, text: '0 s' },
    { count: 0.04, text: '< 0.1 s' },
    { count: 9.96, text: '10 s' },
    { count: 59.6, text: '1 min' },
    { count: 125, text: '2 min 05 s' },
    { count: 3600, text: '60 min' },
  ])('writes $count seconds as $text', ({ count, text }) => {
    expect(seconds(count)).toBe(text)
  })
})
