/** What a Dockerfile takes from outside its contexts, as far as it can be told without building. */
export type OutsideSources = {
  /** Images as written after all arguments are put in, such as `python:3.11-slim`; the frontend of `# syntax=` too. */
  readonly images: readonly string[]
  /** What can't be told: an image that is only known while building, a file from the network. */
  readonly doubts: readonly string[]
}

type Given = {
  /** Build arguments of the target. */
  readonly args: Readonly<Record<string, string>>
  /** Named contexts of the target, which stand in the place of images and stages. */
  readonly contexts: readonly string[]
}

const FROM = /^FROM\s+(?:--platform=(\S+)\s+)?(\S+)(?:\s+AS\s+(\S+))?/i
const ARG = /^ARG\s+([A-Za-z_]\w*)(?:=(.*))?$/i
const VARIABLE = /\$(?:\{([A-Za-z_]\w*)(?::-([^}]*))?\}|([A-Za-z_]\w*))/g
const HEREDOC = /<<-?\s*["']?([A-Za-z_]\w*)["']?/g

/**
 * Finds the images that a Dockerfile is built on (FROM, COPY --from, RUN --mount=from, # syntax). Stages that the target does not
 * need are counted too: a change of theirs builds once too often, never once too little.
 */
export function outsideSources(text: string, { args, contexts }: Given): OutsideSources {
  const images = new Set<string>()
  const doubts: string[] = []
  const stages = new Set(contexts.map((name) => name.toLowerCase()))
  const values = new Map<string, string>()
  const { syntax, escape } = directives(text)
  if (syntax !== undefined) images.add(syntax)
  if (escape !== undefined && escape !== '\\') doubts.push(`the escape character ${escape}`)
  let isInStage = false
  const take = (written: string): void => {
    const name = expand(written, values)
    if (name === undefined) doubts.push(`the image ${written}`)
    else if (name !== 'scratch' && !stages.has(name.toLowerCase()) && !/^\d+$/.test(name))
      images.add(name)
  }
  for (const { text: line } of instructions(text)) {
    const [, argument, preset] = ARG.exec(line) ?? []
    if (argument !== undefined && !isInStage) {
      const value =
        args[argument] ?? (preset === undefined ? undefined : expand(unquote(preset), values))
      if (value !== undefined) values.set(argument, value)
    }
    const from = FROM.exec(line)
    if (from !== null) {
      isInStage = true
      take(from[2] ?? '')
      if (from[3] !== undefined) stages.add(from[3].toLowerCase())
    }
    for (const [, name = ''] of line.matchAll(
      /(?:^(?:COPY|ADD)\s.*?--from=|--mount=\S*?\bfrom=)([^\s,]+)/gi,
    ))
      take(name)
    if (
      /^ADD\s/i.test(line) &&
      /\s(?:https?:\/\/|git@|\S+\.git\b)/.test(line) &&
      !/--checksum=/.test(line)
    )
      doubts.push(`a file from the network: ${line}`)
  }
  return { images: [...images].sort(), doubts }
}

/** `# syntax=` and `# escape=` count at the very top only. */
function directives(text: string): { readonly syntax?: string; readonly escape?: string } {
  const found: Record<string, string> = {}
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = /^#\s*([a-z]+)\s*=\s*(\S+)\s*$/i.exec(line) ?? []
    if (name === undefined || value === undefined) break
    found[name.toLowerCase()] = value
  }
  return found
}

/** An instruction of a Dockerfile, in one line, and the number of the line it begins in. */
export type Instruction = { readonly text: string; readonly line: number }

/** The instructions without comments, continuation lines joined, texts between `<<EOF` and `EOF` left out. */
export function instructions(text: string): readonly Instruction[] {
  const found: Instruction[] = []
  const lines = text.split(/\r?\n/)
  for (let at = 0; at < lines.length; at += 1) {
    let line = (lines[at] ?? '').trim()
    if (line === '' || line.startsWith('#')) continue
    const number = at + 1
    while (line.endsWith('\\') && at + 1 < lines.length) {
      at += 1
      const next = (lines[at] ?? '').trim()
      if (!next.startsWith('#')) line = `${line.slice(0, -1).trimEnd()} ${next}`
    }
    found.push({ text: line, line: number })
    if (!/^(?:RUN|COPY|ADD)\s/i.test(line)) continue
    for (const [, word] of line.matchAll(HEREDOC))
      while (at + 1 < lines.length && (lines[++at] ?? '').trim() !== word);
  }
  return found
}

/** Puts values into `$NAME`, `${NAME}` and `${NAME:-preset}`; undefined where one is not known. */
function expand(text: string, values: ReadonlyMap<string, string>): string | undefined {
  let [whole, end] = ['', 0]
  for (const match of text.matchAll(VARIABLE)) {
    const [written, braced, preset, bare] = match as readonly (string | undefined)[]
    const value = values.get(braced ?? bare ?? '') ?? ''
    const put = value === '' ? preset : value
    if (put === undefined) return undefined
    whole += text.slice(end, match.index) + put
    end = match.index + (written ?? '').length
  }
  whole += text.slice(end)
  return whole.includes('$') ? undefined : whole
}

function unquote(text: string): string {
  return text.trim().replace(/^(["'])(.*)\1$/, '$2')
}
