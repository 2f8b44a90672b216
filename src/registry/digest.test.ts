import { describe, expect, it } from '@jest/globals'
import { checked, gather, type Pieces, sha256, slice } from './digest.ts'

const BYTES = Buffer.from('hello, world')
const expected = { digest: sha256(BYTES), size: BYTES.length }

async function* inTwo(bytes: Buffer, cut: number): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes.subarray(0, cut))
  yield bytes.subarray(cut)
}

async function take(pieces: Pieces): Promise<{ readonly text: string; readonly error?: string }> {
  let text = ''
  try {
    for await (const piece of pieces instanceof Uint8Array ? [pieces] : pieces)
      text += Buffer.from(piece).toString()
    return { text }
  } catch (error) {
    return { text, error: (error as Error).message }
  }
}

describe('checked bytes', () => {
  it('pass when they are right, however they come', async () => {
    expect(await take(checked(BYTES, expected, 'it'))).toEqual({ text: 'hello, world' })
    expect(await take(checked(inTwo(BYTES, 5), expected, 'it'))).toEqual({ text: 'hello, world' })
  })

  it.each([
    {
      name: 'others',
      bytes: 'hello, WORLD',
      given: 'hello',
      why: /^it has other bytes than its digest says/,
    },
    {
      name: 'fewer',
      bytes: 'hello, wor',
      given: 'hello',
      why: /^it ends after 10 of 12 bytes; refused$/,
    },
    { name: 'more', bytes: 'hello, world!', given: '', why: /^it is longer than the 12 bytes/ },
    { name: 'none', bytes: '', given: '', why: /^it ends after 0 of 12 bytes/ },
  ])('are never all given where there are $name', async ({ bytes, given, why }) => {
    const { text, error } = await take(checked(inTwo(Buffer.from(bytes), 5), expected, 'it'))
    expect(error).toMatch(why)
    expect(text).toBe(given)
  })

  it('may be none at all', async () => {
    const empty = { digest: sha256(Buffer.alloc(0)), size: 0 }
    expect(await take(checked(Buffer.alloc(0), empty, 'it'))).toEqual({ text: '' })
  })
})

describe('gathered bytes', () => {
  it('end at the limit', async () => {
    expect((await gather(inTwo(BYTES, 5), 12, 'it')).toString()).toBe('hello, world')
    await expect(gather(inTwo(BYTES, 5), 11, 'it')).rejects.toThrow('it is larger than 11 bytes')
  })
})

describe('a slice', () => {
  it.each([
    { start: 0, length: Number.POSITIVE_INFINITY, text: 'hello, world' },
    { start: 3, length: 4, text: 'lo, ' },
    { start: 7, length: 100, text: 'world' },
    { start: 12, length: 1, text: '' },
  ])('from $start, $length long, is "$text"', async ({ start, length, text }) => {
    expect(await take(slice(inTwo(BYTES, 5), start, length))).toEqual({ text })
  })
})
