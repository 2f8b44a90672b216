import type { Screen } from '../../src/edge/region.ts'

/** A terminal as far as our output needs one: what somebody would see, line by line, with what has scrolled away above. */
export type FakeScreen = Screen & {
  columns: number
  rows: number
  /** Without colours and the spaces at the ends of lines. */
  readonly seen: () => readonly string[]
  /** Each write as it came. */
  readonly writes: readonly string[]
}

/** Control sequences, line ends, or one sign. */
const PARTS = /\x1b\[(\?2026[hl]|\d*[A-Za-z])|\r|\n|[^]/gu

export function fakeScreen(columns = 80, rows = 24): FakeScreen {
  const lines: string[][] = [[]]
  const writes: string[] = []
  let [row, column] = [0, 0]
  const screen = { columns, rows, isTTY: true as const }
  const put = (sign: string) => {
    if (column === screen.columns) lineEnd()
    const line = lines[row] ?? []
    line[column] = sign
    column += 1
  }
  const lineEnd = () => {
    row += 1
    column = 0
    lines[row] ??= []
  }
  const control = (code: string) => {
    const count = Number.parseInt(code, 10) || 1
    // What has scrolled away can't be reached any more.
    const top = Math.max(0, lines.length - screen.rows)
    if (code.endsWith('A')) row = Math.max(top, row - count)
    else if (code === 'K') lines[row]?.splice(column)
    else if (code === 'J') {
      lines[row]?.splice(column)
      lines.splice(row + 1)
    } else if (!/^(\?2026[hl]|\d*m)$/.test(code)) throw new Error(`this terminal lacks ${code}`)
  }
  return Object.assign(screen, {
    writes,
    write: (text: string) => {
      writes.push(text)
      for (const [part, code] of text.matchAll(PARTS)) {
        if (code !== undefined) control(code)
        else if (part === '\n') lineEnd()
        else if (part === '\r') column = 0
        else put(part)
      }
      return true
    },
    seen: () => {
      const all = lines.map((line) => line.join('').trimEnd())
      return all.at(-1) === '' ? all.slice(0, -1) : all
    },
  })
}
