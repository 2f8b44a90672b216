import { describe, expect, it } from '@jest/globals'
import { plainVoice, showProgress } from './terminal.ts'

function capture(more: { readonly isTTY?: boolean; readonly columns?: number } = {}) {
  const output = { text: '', ...more }
  return {
    output,
    stream: {
      ...more,
      write: (text: string) => {
        output.text += text
        return true
      },
    },
  }
}

describe('progress in a log', () => {
  it('prints a row when it changes, and only then', () => {
    const { output, stream } = capture()
    const progress = showProgress(stream, plainVoice)
    progress.show(['a: 0 of 1', 'b: 0 of 1'])
    progress.show(['a: 0 of 1', 'b: 0 of 1'])
    progress.show(['a: 1 of 1', 'b: 0 of 1'])
    expect(output.text).toBe('  a: 0 of 1\n  b: 0 of 1\n  a: 1 of 1\n')
  })

  it('begins anew with each step, and has no control characters', async () => {
    const { output, stream } = capture()
    const progress = showProgress(stream, plainVoice)
    for (const title of ['one', 'two'])
      await progress.step(title, () => {
        progress.show(['a: ready'])
        return Promise.resolve()
      })
    expect(output.text.match(/a: ready/g)).toHaveLength(2)
    expect(output.text).toMatch(/▸ one\n {2}a: ready\n✓ one \(0\.\d s\)\n▸ two/)
    expect(output.text).not.toContain('\x1b')
  })

  it('does not call a step done that failed', async () => {
    const { output, stream } = capture()
    const work = () => Promise.reject(new Error('no'))
    await expect(showProgress(stream, plainVoice).step('one', work)).rejects.toThrow('no')
    expect(output.text).toBe('▸ one\n')
  })
})

describe('progress on a terminal', () => {
  it('draws its table in place, and lets lines pass above it', () => {
    const { output, stream } = capture({ isTTY: true, columns: 12 })
    const progress = showProgress(stream, plainVoice)
    progress.show(['a row that is too long', 'b'])
    progress.say('news')
    progress.show(['a'])
    expect(output.text).toBe('  a row tha\n  b\n\x1b[2A\r\x1b[J  news\n  a\n')
  })
})
