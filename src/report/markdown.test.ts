import { describe, expect, it } from '@jest/globals'
import { bytes, codeBlock, codeSpan, markdownTable, plainText } from './markdown.ts'

describe('Markdown', () => {
  it('keeps a cell in its row, whatever is in it', () => {
    expect(markdownTable(['a', 'b'], [['x | y', 'one\ntwo']])).toBe(
      '| a | b |\n| --- | --- |\n| x \\| y | one two |',
    )
  })

  it('keeps lines in their block, even one that would close it', () => {
    const block = codeBlock(['before', '````', '# not a title']).split('\n')
    expect(block.filter((line) => line.startsWith('````'))).toEqual(['````text', '````'])
    expect(block.at(-1)).toBe('````')
  })

  it('takes nothing in the text of others for Markdown or HTML', () => {
    expect(plainText('<b>*x*</b>\n# [y](z) `q`')).toBe(
      '\\<b\\>\\*x\\*\\</b\\> \\# \\[y\\](z) \\`q\\`',
    )
    expect(codeSpan('a`b\n<c>')).toBe("`a'b <c>`")
  })

  it.each([
    { count: 0, text: '0 kB' },
    { count: 999_499, text: '999 kB' },
    { count: 14_200_000, text: '14.2 MB' },
  ])('writes $count bytes as $text', ({ count, text }) => {
    expect(bytes(count)).toBe(text)
  })
})
