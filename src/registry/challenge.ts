/** One challenge of a `WWW-Authenticate` header: its scheme and the names of its parameters in lower case. */
export type Challenge = {
  readonly scheme: string
  readonly parameters: Readonly<Record<string, string>>
}

const TOKEN = /[A-Za-z0-9!#$%&'*+.^_`|~-]+/y
const VALUE = /\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/y
const BETWEEN = /[\s,]*/y

/**
 * Reads challenges such as `Bearer realm="…",service="…",scope="…"` (RFC 9110, section 11.6.1). There may be several headers, and
 * several challenges in one: a word that has no `=` behind it begins the next. What can't be read ends the header.
 */
export function parseChallenges(headers: readonly string[]): readonly Challenge[] {
  return headers.flatMap(parseHeader)
}

function parseHeader(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = []
  let here = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = here
    const found = pattern.exec(header)
    if (found !== null) here = pattern.lastIndex
    return found
  }
  for (take(BETWEEN); here < header.length; take(BETWEEN)) {
    const word = take(TOKEN)?.[0].toLowerCase()
    if (word === undefined) break
    const value = take(VALUE)
    if (value === null) challenges.push({ scheme: word, parameters: {} })
    else {
      const last = challenges.at(-1)
      if (last !== undefined)
        last.parameters[word] = value[1]?.replace(/\\(.)/g, '$1') ?? value[2] ?? ''
    }
  }
  return challenges
}
