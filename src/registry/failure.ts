import { UserError } from '../errors.ts'

/** A failure that a registry, or the way to it, is the cause of. */
export class RegistryError extends UserError {
  /** It may go right the next time. */
  readonly passing: boolean
  /** How long the registry asks to wait (milliseconds). */
  readonly waitMs: number | undefined
  readonly status: number | undefined
  constructor(
    message: string,
    facts: {
      readonly passing: boolean
      readonly details?: readonly string[]
      readonly waitMs?: number | undefined
      readonly status?: number
      readonly cause?: unknown
    },
  ) {
    super(message, facts.details ?? [], { cause: facts.cause })
    this.passing = facts.passing
    this.waitMs = facts.waitMs
    this.status = facts.status
  }
}

export function isPassing(error: unknown): error is RegistryError {
  return error instanceof RegistryError && error.passing
}
