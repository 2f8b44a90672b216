import type { Fact } from './facts.ts'

/** The facts of one section as a table for a terminal: a row for each name, a column for each figure that any of them has. */
export function factTable(head: string, facts: readonly (readonly [string, Fact])[]): string {
  const columns = [...new Set(facts.flatMap(([, fact]) => Object.keys(fact)))]
  const rows = facts.map(([name, fact]) => [
    name,
    ...columns.map((column) => String(fact[column] ?? '')),
  ])
  const table = [[head, ...columns], ...rows]
  const widths = [head, ...columns].map((_, at) =>
    Math.max(...table.map((row) => row[at]?.length ?? 0)),
  )
  return table
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
