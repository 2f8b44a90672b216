/** A Markdown table; bars in cells are escaped so that they can't break it. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Lines as they are, in a fence that they can't close. */
export function codeBlock(lines: readonly string[]): string {
  return ['````text', ...lines.map((line) => line.replaceAll('````', "'''")), '````'].join('\n')
}

/** Bytes for people: `14.2 MB`. */
export function bytes(count: number): string {
  if (count < 1_000_000) return `${(count / 1000).toFixed(0)} kB`
  return `${(count / 1_000_000).toFixed(1)} MB`
}

/** Text of others as it is: nothing in it is taken for Markdown or HTML. */
export function plainText(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\`*_~[\]<>#&]/g, '\\$&')
}

/** Text of others as code, such as the name of a package. */
export function codeSpan(text: string): string {
  return `\`${text.replace(/\s+/g, ' ').replaceAll('`', "'")}\``
}
