import type { Place } from './world.ts'

/**
 * An error the reader can fix: the first line says what happened, to which object, and what to do next.
 * `details` are shown below it (logs, events, the other problems found at the same time).
 */
export class UserError extends Error {
  readonly details: readonly string[]
  /** The line of a file of the checkout that has to be changed, where there is one. */
  readonly place: Place | undefined
  /** What machines may act on: a cause code of docs/causes.md, where there is one. */
  readonly code: string | undefined
  constructor(
    message: string,
    details: readonly string[] = [],
    options?: ErrorOptions & {
      readonly place?: Place | undefined
      readonly code?: string | undefined
    },
  ) {
    super(message, options)
    this.name = 'UserError'
    this.details = details
    this.place = options?.place
    this.code = options?.code
  }
}

/** All problems of one input at once: one line if there is one, else a count and a list. */
export function refuse(
  what: string,
  problems: readonly string[],
  options?: ConstructorParameters<typeof UserError>[2],
): never {
  if (problems.length === 1) throw new UserError(`${what}: ${problems[0] ?? ''}`, [], options)
  const message = `${what}: ${problems.length} problems, nothing was changed`
  throw new UserError(message, problems, options)
}

/** The message of whatever was thrown, without a stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error || Error.isError(error) ? error.message : String(error)
}

/** The reason of a signal from `AbortSignal.timeout`. */
export function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError'
}

/** True where an error, or what caused it, is a disk without room. */
export function isDiskFull(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause)
    if ('code' in one && (one.code === 'ENOSPC' || one.code === 'EDQUOT')) return true
  return false
}

/** The error that a full disk is, for whoever has to make room. */
export function diskFull(details: readonly string[]): UserError {
  return new UserError(
    'The disk is full; free some space, or name other folders: TODO_DEPLOY_CACHE for what is kept, TMPDIR (on GitHub RUNNER_TEMP) for work',
    details,
  )
}
