/** What the verbs need from outside. Tests fill it with object literals; `src/edge` fills it with the real thing. */
export type World = {
  readonly progress: Progress
  readonly clock: Clock
  readonly run: RunProgram
  readonly tools: Tools
  /** Aborted when the user or the runner cancels. */
  readonly signal: AbortSignal
  /** A folder for files of this run; removed by nobody but its owner. */
  readonly workspace: string
}

/** Long work says what it does: a live table on a terminal, calm lines in a log. */
export type Progress = {
  /** A chapter: its title, then what `work` says, then how long it took. */
  step: <T>(title: string, work: () => Promise<T>) => Promise<T>
  say: (line: string) => void
  /** `place`: the line of a file that it is about. */
  warn: (line: string, place?: Place) => void
  /** The picture now, one row an object. Only rows that changed reach a log. `waves`: how far a rollout is. */
  show: (rows: readonly (Row | string)[], waves?: Waves) => void
}

/** Pods of a workload: wanted, of the newest revision, ready, and ready for long enough. */
export type PodCounts = {
  readonly desired: number
  readonly updated: number
  readonly ready: number
  readonly available: number
}

/** An object that is waited for. */
export type Row = {
  readonly state: 'ready' | 'waiting' | 'failed'
  /** Kind, namespace and name. */
  readonly name: string
  /** Kind and name. */
  readonly short: string
  /** How far it is, exactly: for a log. */
  readonly detail: string
  /** What it does now, in few words: for a table. */
  readonly doing: string
  /** Whether it runs pods. */
  readonly isWorkload?: boolean
  readonly pods?: PodCounts
}

/** How far a rollout is: `of` tells one from another. */
export type Waves = {
  readonly of: object
  readonly done: number
  readonly all: number
  /** The one under way, or empty. */
  readonly now: string
  readonly later: readonly string[]
}

/** A line of a file of the checkout. */
export type Place = { readonly file: string; readonly line: number }

export type Clock = {
  now: () => Date
  /** Resolves after `milliseconds`, rejects at once when the signal is aborted. */
  sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

export type Program = {
  /** The program and its arguments; never a shell string. */
  readonly argv: readonly [string, ...string[]]
  readonly cwd?: string
  /** The whole environment of the program, if it must not inherit ours. */
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly timeoutSeconds: number
  readonly onLine?: (line: string) => void
  /** Whether it leaves the processors to whoever else wants them. */
  readonly isNice?: boolean
}

export type ProgramResult = {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end. A status other than 0 is a result; a time-out or a missing program throws `UserError`. */
export type RunProgram = (program: Program, signal: AbortSignal) => Promise<ProgramResult>

export type ToolName =
  'buildx' | 'syft' | 'grype' | 'kustomize' | 'kind' | 'kubectl' | 'kubeconform' | 'helm'

/** A version that somebody wants; `sha256` is that of the released archive, which only a pinned version can do without. */
export type ToolWish = { readonly version: string; readonly sha256?: string }

/** The path of a pinned external program, or of the one that is wished for, checked against its sha256 on every use. */
export type Tools = (name: ToolName, wish?: ToolWish) => Promise<string>
