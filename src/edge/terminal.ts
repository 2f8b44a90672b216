import { performance } from 'node:perf_hooks'
import type { Place, Progress, Row, Waves } from '../world.ts'
import { colours, noPaint, tableLines } from './livetable.ts'
import { openRegion, type Screen } from './region.ts'

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

/** Progress that has to be told when there is no more to come. */
export type Shown = Progress & { readonly close: () => void }

type Environment = Readonly<Record<string, string | undefined>>

const DEFAULT_SIZE = { columns: 80, rows: 24 }

/** Progress for people: a table that changes in place on a terminal, one line a change in a log. Both are told the same. */
export function showProgress(
  output: Screen,
  voice: Voice,
  environment: Environment = process.env,
): Shown {
  const isLive = output.isTTY === true && environment['TERM'] !== 'dumb'
  const picture = isLive ? livePicture(output, environment) : logPicture(output, voice)
  const { print, show, endStep, close } = picture
  return {
    step: async (title, work) => {
      const started = performance.now()
      print(voice.begin(title))
      let isDone = false
      try {
        const result = await work()
        isDone = true
        return result
      } finally {
        endStep(isDone)
        const seconds = ((performance.now() - started) / 1000).toFixed(1)
        if (isDone) print(voice.end(title, seconds))
      }
    },
    say: (text) => {
      print(voice.line(text))
    },
    warn: (text, place) => {
      print(voice.warning(text, place))
    },
    ...{ show, close },
  }
}

type PictureOutput = {
  readonly print: (text: string) => void
  readonly show: Progress['show']
  readonly endStep: (isDone: boolean) => void
  readonly close: () => void
}

const MARKS = { ready: '✓', waiting: '…', failed: '✗' } as const

function logPicture(output: Screen, voice: Voice): PictureOutput {
  let shown: ReadonlySet<string> = new Set()
  const print = (text: string) => {
    output.write(`${text}\n`)
  }
  return {
    print,
    show: (rows) => {
      const lines = rows.map((row) =>
        typeof row === 'string' ? row : `${MARKS[row.state]} ${row.name}: ${row.detail}`,
      )
      for (const line of lines) if (!shown.has(line)) print(voice.line(line))
      shown = new Set(lines)
    },
    endStep: () => {
      shown = new Set()
    },
    close: () => undefined,
  }
}

type Kept = { readonly row: Row; readonly since: number; readonly until: number | undefined }

/** One table for all waves of a rollout. It stays where it is when it is over, and the next one begins below it. */
function livePicture(output: Screen, environment: Environment): PictureOutput {
  const region = openRegion(output)
  // https://no-color.org
  const paint = (environment['NO_COLOR'] ?? '') === '' ? colours : noPaint
  const now = () => performance.now()
  let kept = new Map<string, Kept>()
  let lines: readonly string[] = []
  let waves: Waves | undefined
  let began: number | undefined
  const draw = () => {
    const { columns = DEFAULT_SIZE.columns, rows = DEFAULT_SIZE.rows } = output
    const timed = [...kept.values()].map(({ row, since, until }) => ({
      ...{ row, seconds: ((until ?? now()) - since) / 1000 },
    }))
    // What runs nothing is of interest only for as long as something is wrong with it.
    const shown = timed.filter(({ row }) => row.isWorkload === true || row.state !== 'ready')
    const seconds = (now() - (began ?? now())) / 1000
    region.draw(tableLines({ rows: shown, lines, waves, seconds }, { columns, rows }, paint))
  }
  const close = () => {
    region.leave()
    kept = new Map()
    ;[lines, waves, began] = [[], undefined, undefined]
  }
  return {
    print: region.print,
    show: (rows, told) => {
      if (told !== undefined && waves !== undefined && told.of !== waves.of) close()
      waves = told ?? waves
      began ??= now()
      lines = rows.filter((row) => typeof row === 'string')
      for (const row of rows)
        if (typeof row !== 'string') kept.set(row.name, keep(row, kept, now()))
      draw()
    },
    endStep: (isDone) => {
      // Where it failed, its last words stay.
      if (!isDone || lines.length === 0) return
      lines = []
      draw()
    },
    close,
  }
}

function keep(row: Row, kept: ReadonlyMap<string, Kept>, now: number): Kept {
  const known = kept.get(row.name)
  const until = row.state === 'waiting' ? undefined : (known?.until ?? now)
  return { row, since: known?.since ?? now, until }
}
