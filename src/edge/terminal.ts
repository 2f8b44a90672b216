import { performance } from 'node:perf_hooks'
import type { Place, Progress } from '../world.ts'

type Output = Pick<NodeJS.WriteStream, 'write'> & {
  readonly isTTY?: boolean
  readonly columns?: number
}

/** How chapters and warnings look: GitHub's runner has commands for both. */
export type Voice = {
  readonly begin: (title: string) => string
  readonly end: (title: string, seconds: string) => string
  readonly warning: (line: string, place?: Place) => string
  /** An ordinary line, which may be text of others. */
  readonly line: (line: string) => string
}

export const plainVoice: Voice = {
  begin: (title) => `▸ ${title}`,
  end: (title, seconds) => `✓ ${title} (${seconds} s)`,
  warning: (line, place) =>
    place === undefined ? `! ${line}` : `! ${place.file}:${place.line}: ${line}`,
  line: (line) => `  ${line}`,
}

const CLEAR_BELOW = '\x1b[J'

/** Progress for people: a table that changes in place on a terminal, one line a change in a log. */
export function showProgress(output: Output, voice: Voice): Progress {
  let drawn = 0
  let shown: ReadonlySet<string> = new Set()
  const live = output.isTTY === true
  const erase = () => {
    if (drawn > 0) output.write(`\x1b[${drawn}A\r${CLEAR_BELOW}`)
    drawn = 0
  }
  const line = (text: string) => {
    erase()
    output.write(`${text}\n`)
  }
  return {
    step: async (title, work) => {
      const started = performance.now()
      line(voice.begin(title))
      try {
        const result = await work()
        const seconds = ((performance.now() - started) / 1000).toFixed(1)
        line(voice.end(title, seconds))
        return result
      } finally {
        drawn = 0
        shown = new Set()
      }
    },
    say: (text) => {
      line(voice.line(text))
    },
    warn: (text, place) => {
      line(voice.warning(text, place))
    },
    show: (rows) => {
      if (live) {
        erase()
        const width = output.columns ?? 100
        for (const row of rows) output.write(`  ${row.slice(0, width - 3)}\n`)
        drawn = rows.length
        return
      }
      for (const row of rows) if (!shown.has(row)) line(voice.line(row))
      shown = new Set(rows)
    },
  }
}
