import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'

const FOLDERS = ['src', 'actions', 'lab', 'scripts']
/** Words of others, which stand in no source of ours: of the library that checks schemas, and of Kubernetes. */
const OF_OTHERS = [
  /^(the policy |\/ignore\/0 |\/)?must (NOT have|have required|be equal)/,
  /^no endpoints available/,
]
/** A line is put together where a constant or a clause stands in it. */
const MOST_PARTS = 3
/** Shorter pieces are found anywhere. */
const SHORTEST = 6

/** All text that we may print, without the marks that code puts before a quote. */
const source = FOLDERS.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|mjs|sh)$/.test(name) && !/(\.test\.ts$|\/dist\/)/.test(name))
    .map((name) => readFileSync(join(folder, name), 'utf8')),
)
  .join('\n')
  .replaceAll(/\\(['"`])/g, '$1')

/** The first cell of every row of a table: what is looked for there stands between backticks. */
const quoted = readFileSync('docs/troubleshooting.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .flatMap((line) => [...(line.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)])
  .map(([, text = '']) => text)

/** `…` stands for what differs from case to case. */
function piecesOf(text: string): readonly string[] {
  return text
    .split('…')
    .map((piece) => piece.replace(/^[\s:;,."]+|[\s:;,."]+$/g, ''))
    .filter((piece) => piece.length >= SHORTEST && !OF_OTHERS.some((words) => words.test(piece)))
}

/** True where the words stand in the source, one after the other, in a few parts. */
function isSaid(piece: string): boolean {
  let words = piece.split(' ')
  for (let parts = 0; parts < MOST_PARTS && words.length > 0; parts += 1) {
    let length = words.length
    // The mark behind a constant stands in the other part.
    const part = () =>
      words
        .slice(0, length)
        .join(' ')
        .replace(/[:;,]$/, '')
    while (length > 0 && !source.includes(part())) length -= 1
    if (length === 0) return false
    words = words.slice(length)
  }
  return words.length === 0
}

describe('the first lines in docs/troubleshooting.md', () => {
  it('are many', () => {
    expect(quoted.length).toBeGreaterThan(100)
  })

  it('are what the code says, word for word', () => {
    const unknown = quoted.flatMap((text) =>
      piecesOf(text)
        .filter((piece) => !isSaid(piece))
        .map((piece) => ({ text, piece })),
    )
    expect(unknown).toEqual([])
  })
})
