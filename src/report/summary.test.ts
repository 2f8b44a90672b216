import { describe, expect, it } from '@jest/globals'
import { fitSummary } from './summary.ts'

const rows = (count: number, text = 'x') =>
  Array.from({ length: count }, (_, index) => `- ${text} ${index}`)

describe('a summary', () => {
  it('is its parts, one after the other, without those that are empty', () => {
    const parts = [{ head: '## Good' }, {}, { head: 'a\nb', rows: ['1', '2'], tail: 'end' }]
    expect(fitSummary(parts, 'the page')).toBe('## Good\n\na\nb\n1\n2\n\nend\n')
  })

  it('stays below its limit, keeps what comes first, and says how much is left out of what', () => {
    const parts = [
      { head: '## Verdict' },
      { head: 'first', rows: rows(10), of: 'images' },
      { head: 'second', rows: rows(1000), of: 'findings', tail: '</details>' },
      { head: 'third', rows: rows(50), of: 'notes' },
    ]
    const text = fitSummary(parts, 'the page', 3000)
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(3000)
    expect(text).toMatch(/^## Verdict\n/)
    expect(text).toContain('- x 9\n')
    const [, left] = /… and (\d+) more findings, left out .*; the page has them\./.exec(text) ?? []
    const kept =
      text
        .split('second')[1]
        ?.split('third')[0]
        ?.match(/^- x \d+$/gm)?.length ?? 0
    expect(kept + Number(left)).toBe(1000)
    expect(kept).toBeGreaterThan(50)
    expect(text).toContain('… and 50 more notes')
    expect(text).toContain('</details>')
  })

  it('counts bytes, and cuts what a stranger has made endless', () => {
    const parts = [{ head: 'a', rows: rows(400, '漢'.repeat(5000)), of: 'findings' }]
    const text = fitSummary(parts, 'the page')
    expect(Buffer.byteLength(text)).toBeLessThan(1024 * 1024)
    expect(text).toContain('more findings, left out')
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(2100)
  })
})
