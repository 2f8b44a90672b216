/** A part of a summary. Rows are left out from the end where there is no room for all of them. */
export type SummaryPart = {
  /** Stays, whatever happens. */
  readonly head?: string
  readonly rows?: readonly string[]
  readonly tail?: string
  /** What the rows are, for the line that says how many are left out: `findings`. */
  readonly of?: string
}

/** GitHub shows no summary at all that is larger than 1 MiB; what the runner itself adds needs some room. */
export const SUMMARY_LIMIT = 1_000_000
/** One row may be the text of a stranger, and then of any length. */
const ROW_CHARACTERS = 2000

/**
 * One text of all parts, at most `limit` bytes long. Parts come first to keep their rows in the order they stand in; a part that has lost
 * some says how many, and that `elsewhere` has them.
 */
export function fitSummary(
  parts: readonly SummaryPart[],
  elsewhere: string,
  limit = SUMMARY_LIMIT,
): string {
  const fixed = parts.map(({ head = '', tail = '' }) => sizeOf(head) + sizeOf(tail) + 4)
  const reserve = parts.map((part) =>
    part.rows === undefined ? 0 : sizeOf(lost(part, part.rows.length, elsewhere)),
  )
  let room = limit - [...fixed, ...reserve].reduce((sum, size) => sum + size, 0)
  const texts = parts.map((part) => {
    const { head = '', rows = [], tail = '' } = part
    const kept: string[] = []
    for (const row of rows.map(clip)) {
      room -= sizeOf(row) + 1
      if (room < 0) break
      kept.push(row)
    }
    const left = rows.length - kept.length
    const note = left === 0 ? '' : `\n\n${lost(part, left, elsewhere)}`
    return [[head, ...kept].filter((line) => line !== '').join('\n') + note, tail]
      .filter((text) => text !== '')
      .join('\n\n')
  })
  return `${texts.filter((text) => text !== '').join('\n\n')}\n`
}

function lost({ of = 'lines' }: SummaryPart, count: number, elsewhere: string): string {
  return `… and ${count} more ${of}, left out since a summary holds 1 MiB; ${elsewhere} has them.`
}

function clip(row: string): string {
  return row.length <= ROW_CHARACTERS ? row : `${row.slice(0, ROW_CHARACTERS)}…`
}

function sizeOf(text: string): number {
  return Buffer.byteLength(text)
}
