import { describe, expect, it } from '@jest/globals'
import { UserError } from '../errors.ts'
import { formatImageSet, parseImageSet } from './imageset.ts'

const digest = `sha256:${'a'.repeat(64)}`
const image = (name: string) => ({ reference: `ghcr.io/todo/${name}@${digest}`, digest, size: 7 })

function problemsOf(images: unknown): readonly string[] {
  try {
    parseImageSet(JSON.stringify({ version: 1, images }), 'images.lock.json')
  } catch (error) {
    if (error instanceof UserError) return error.details
    throw error
  }
  return []
}

describe('an image set', () => {
  it('is the same text whatever the order of its images', () => {
    const [a, b] = [image('a'), image('b')]
    const text = formatImageSet({ version: 1, images: { a, b } })
    expect(formatImageSet({ version: 1, images: { b, a } })).toBe(text)
    expect(parseImageSet(text, 'it')).toEqual({ version: 1, images: { a, b } })
  })

  it.each([
    { name: 'another version', text: '{"version":2,"images":{}}' },
    { name: 'no images', text: '{"version":1}' },
    { name: 'a list', text: '[]' },
  ])('is refused where it has $name', ({ text }) => {
    expect(() => parseImageSet(text, 'lock')).toThrow('lock is not an image lock file of version 1')
  })

  it('reports every fault of every image at once', () => {
    const other = `sha256:${'b'.repeat(64)}`
    const problems = problemsOf({
      backend: { reference: 'ghcr.io/todo/backend:v1', digest: 'v1' },
      database: { reference: 'Not A Reference', digest },
      frontend: { ...image('frontend'), digest: other },
      agent: image('agent'),
    })
    expect(problems).toEqual([
      'backend: "v1" is not a digest',
      `database: the reference Not A Reference does not end in ${digest}`,
      `frontend: the reference ghcr.io/todo/frontend@${digest} does not end in ${other}`,
    ])
  })
})
