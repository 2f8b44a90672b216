import { describe, expect, it } from '@jest/globals'
import type { ToolWish } from '../world.ts'
import { parseWishes, withWishes } from './wish.ts'

const sha256 = 'a'.repeat(64)
const parse = (...items: readonly string[]) => parseWishes(items, ['syft', 'grype'])

describe('a wished version', () => {
  it('is written like an image: program, version, digest', () => {
    const wishes = parse(`syft:1.53.0@sha256:${sha256}`, 'grype:v0.119.0')
    expect(Object.fromEntries(wishes)).toEqual({
      syft: { version: 'v1.53.0', sha256 },
      grype: { version: 'v0.119.0' },
    })
  })

  it('reaches whoever asks for the program, and others get the pinned one', async () => {
    const asked: unknown[] = []
    const tools = withWishes((name: string, wish?: ToolWish) => {
      asked.push([name, wish?.version])
      return Promise.resolve(name)
    }, parse('syft:1.53.0'))
    await tools('syft')
    await tools('grype')
    expect(asked).toEqual([
      ['syft', 'v1.53.0'],
      ['grype', undefined],
    ])
  })

  it.each([
    { name: 'without a version', items: ['syft'], says: '"syft" is not written as' },
    { name: 'with a cut digest', items: ['syft:1@sha256:abc'], says: 'with 64 digits' },
    { name: 'with a path in it', items: ['syft:1.0/../..'], says: 'is not written as' },
    { name: 'of a program we do not use', items: ['trivy:1.0'], says: 'there are syft, grype' },
    { name: 'that is there twice', items: ['syft:1.0', 'syft:1.1'], says: 'syft is named twice' },
  ])('is refused $name', ({ items, says }) => {
    expect(() => parse(...items)).toThrow(says)
  })
})
