import { stripVTControlCharacters } from 'node:util'

export type Screen = {
  readonly write: (text: string) => unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

/** Lines at the bottom of a terminal that are drawn anew in place, while others pass above them. */
export type Region = {
  readonly draw: (lines: readonly string[]) => void
  readonly print: (text: string) => void
  /** What is drawn stays as it is; the next lines come below it. */
  readonly leave: () => void
}

/** Terminals that know these show everything in between at once; the others ignore them. */
const BEGIN = '\x1b[?2026h'
const END = '\x1b[?2026l'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'
const DEFAULT_COLUMNS = 80
/** Signs that take two columns. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u

/**
 * Each change is one write, in which every line is written over and only its rest is cleared: nothing flickers. The cursor is never hidden, so
 * nothing is left to restore, however the program ends. A window that became narrower has broken the lines since: they are counted as they lie now.
 */
export function openRegion(screen: Screen): Region {
  let drawn: readonly string[] = []
  const columns = () => screen.columns ?? DEFAULT_COLUMNS
  const height = () =>
    drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns())), 0)
  const toTop = () => (drawn.length === 0 ? '' : `\x1b[${height()}A\r`)
  const below = (lines: readonly string[]) => lines.map((line) => `${line}${CLEAR_LINE}\n`).join('')
  return {
    draw: (lines) => {
      if (lines.length === drawn.length && lines.every((line, index) => line === drawn[index]))
        return
      screen.write(`${BEGIN}${toTop()}${below(lines)}${CLEAR_BELOW}${END}`)
      drawn = lines
    },
    print: (text) => {
      if (drawn.length === 0) screen.write(`${text}\n`)
      else
        screen.write(
          `${BEGIN}${toTop()}${below(text.split('\n'))}${below(drawn)}${CLEAR_BELOW}${END}`,
        )
    },
    leave: () => {
      drawn = []
    },
  }
}

/** How many columns a text takes on a terminal. */
export function widthOf(text: string): number {
  let width = 0
  for (const sign of stripVTControlCharacters(text)) width += WIDE.test(sign) ? 2 : 1
  return width
}

/** A text in at most so many columns; what does not fit ends in an ellipsis. */
export function fit(text: string, columns: number): string {
  const plain = stripVTControlCharacters(text).replaceAll(/[\u0000-\u001f\u007f]/g, ' ')
  if (widthOf(plain) <= columns) return plain
  let [kept, width] = ['', 0]
  for (const sign of plain) {
    width += widthOf(sign)
    if (width > columns - 1) break
    kept += sign
  }
  return columns < 1 ? '' : `${kept}…`
}

/** The same, filled up with spaces. */
export function pad(text: string, columns: number, side: 'left' | 'right' = 'left'): string {
  const fitted = fit(text, columns)
  const space = ' '.repeat(Math.max(0, columns - widthOf(fitted)))
  return side === 'left' ? fitted + space : space + fitted
}
