/** One piece of work: it runs once, when it is wanted and everything it needs is done. */
export interface Step {
  readonly name: string
  /** As it reads in the progress: "compiling Kubernetes". */
  readonly title: string
  readonly needs: readonly string[]
  /** How long it takes from nothing on the machine the estimates were made on. */
  readonly seconds: number
  /** What it keeps busy: only a few steps that use the same run at once. */
  readonly uses?: Resource
  /** True for the step that decides when everything is ready: it goes before others that wait for the same. */
  readonly urgent?: boolean
  /** True when the work was found done already, so that it counts for nothing in the estimates. */
  readonly done?: boolean
  run(): Promise<void>
}

export type Resource = 'processors' | 'network'

export type StepState = 'idle' | 'waiting' | 'running' | 'done' | 'failed'

export interface StepStatus {
  readonly step: Step
  readonly state: StepState
  readonly startedAt: number | undefined
  readonly seconds: number | undefined
}

export interface Schedule {
  /** Wants the steps and what they need; resolves when all of the named ones are done, throws what the first failure threw. */
  ensure(names: readonly string[]): Promise<void>
  status(): readonly StepStatus[]
}

export interface ScheduleOptions {
  /** How many steps may use a resource at once. */
  readonly slots: Readonly<Record<Resource, number>>
  readonly now?: () => number
  readonly onChange?: (status: StepStatus) => void
}

interface Entry {
  readonly step: Step
  readonly result: PromiseWithResolvers<undefined>
  state: StepState
  startedAt: number | undefined
  seconds: number | undefined
  failure: unknown
}

/** Runs steps by need, several at once; what was wanted first goes first. */
export function createSchedule(steps: readonly Step[], options: ScheduleOptions): Schedule {
  return new Scheduler(steps, options)
}

class Scheduler implements Schedule {
  readonly #entries: ReadonlyMap<string, Entry>
  readonly #queue: Entry[] = []
  readonly #options: ScheduleOptions
  readonly #now: () => number

  constructor(steps: readonly Step[], options: ScheduleOptions) {
    this.#entries = new Map(steps.map((step) => [step.name, newEntry(step)]))
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  async ensure(names: readonly string[]): Promise<void> {
    for (const name of names) this.#want(name)
    this.#advance()
    await Promise.all(names.map((name) => this.#entryOf(name).result.promise))
  }

  status(): readonly StepStatus[] {
    return [...this.#entries.values()].map(statusOf)
  }

  #entryOf(name: string): Entry {
    const entry = this.#entries.get(name)
    if (entry === undefined) throw new TypeError(`there is no step ${name}`)
    return entry
  }

  #want(name: string): void {
    const entry = this.#entryOf(name)
    if (entry.state !== 'idle') return
    entry.state = 'waiting'
    for (const need of entry.step.needs) this.#want(need)
    this.#queue.push(entry)
  }

  #advance(): void {
    const isUrgent = ({ step }: Entry): number => Number(step.urgent ?? false)
    for (const entry of this.#queue.toSorted((a, b) => isUrgent(b) - isUrgent(a))) {
      if (entry.state !== 'waiting') continue
      const needs = entry.step.needs.map((need) => this.#entryOf(need))
      const failed = needs.find((need) => need.state === 'failed')
      if (failed !== undefined) this.#settle(entry, 'failed', failed.failure)
      else if (needs.every((need) => need.state === 'done') && this.#hasRoom(entry.step.uses)) {
        this.#start(entry)
      }
    }
  }

  #hasRoom(resource: Resource | undefined): boolean {
    if (resource === undefined) return true
    const isBusy = ({ state, step }: Entry): boolean =>
      state === 'running' && step.uses === resource
    return [...this.#entries.values()].filter(isBusy).length < this.#options.slots[resource]
  }

  #start(entry: Entry): void {
    entry.state = 'running'
    entry.startedAt = this.#now()
    this.#options.onChange?.(statusOf(entry))
    entry.step.run().then(
      () => {
        this.#settle(entry, 'done')
      },
      (failure: unknown) => {
        this.#settle(entry, 'failed', failure)
      },
    )
  }

  #settle(entry: Entry, state: 'done' | 'failed', failure?: unknown): void {
    entry.state = state
    entry.failure = failure
    if (entry.startedAt !== undefined) entry.seconds = (this.#now() - entry.startedAt) / 1000
    this.#options.onChange?.(statusOf(entry))
    if (state === 'done') entry.result.resolve(undefined)
    else entry.result.reject(failure)
    this.#advance()
  }
}

function newEntry(step: Step): Entry {
  const result = Promise.withResolvers<undefined>()
  result.promise.catch(() => undefined) // whoever wanted it hears of it; one that nobody waits for must not end the process
  return {
    step,
    result,
    state: 'idle',
    startedAt: undefined,
    seconds: undefined,
    failure: undefined,
  }
}

function statusOf({ step, state, startedAt, seconds }: Entry): StepStatus {
  return { step, state, startedAt, seconds }
}

/**
 * Seconds until everything wanted is done, by the expected times, scaled by how this machine did so far: no less than the
 * longest chain of needs, no less than the work for the processors divided among its slots.
 */
export function estimateSecondsLeft(
  statuses: readonly StepStatus[],
  options: { processors: number; now: number },
): number {
  const wanted = statuses.filter(({ state }) => state === 'waiting' || state === 'running')
  const scale = speedOf(statuses)
  const left = new Map(
    wanted.map((status) => [status.step.name, leftOf(status, scale, options.now)]),
  )
  const chains = new Map<string, number>()
  const chain = (name: string): number => {
    const known = chains.get(name)
    if (known !== undefined) return known
    const own = left.get(name)
    if (own === undefined) return 0
    const needs = wanted.find((status) => status.step.name === name)?.step.needs ?? []
    const whole = own + Math.max(0, ...needs.map(chain))
    chains.set(name, whole)
    return whole
  }
  const heavy = wanted
    .filter(({ step }) => step.uses === 'processors')
    .reduce((sum, { step }) => sum + (left.get(step.name) ?? 0), 0)
  return Math.max(0, heavy / options.processors, ...wanted.map(({ step }) => chain(step.name)))
}

function leftOf({ step, startedAt }: StepStatus, scale: number, now: number): number {
  if (step.done) return 0
  const expected = step.seconds * scale
  if (startedAt === undefined) return expected
  // Something that takes longer than expected is never promised for this very moment.
  return Math.max(expected - (now - startedAt) / 1000, expected * 0.1)
}

// Only steps of some length say anything about the machine; a few of them are not allowed to say too much.
function speedOf(statuses: readonly StepStatus[]): number {
  const measured = statuses.filter(
    ({ step, state, seconds }) =>
      state === 'done' && !step.done && step.seconds >= 5 && (seconds ?? 0) > 1,
  )
  const expected = measured.reduce((sum, { step }) => sum + step.seconds, 60)
  const taken = measured.reduce((sum, { seconds }) => sum + (seconds ?? 0), 60)
  return taken / expected
}
