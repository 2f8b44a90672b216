import { UserError } from '../errors.ts'
import type { Cause, CauseCode } from './causes/codes.ts'
import type { Evidence } from './evidence/evidence.ts'

/** A rollout that will not become what was asked for: the cause in words, and the evidence. */
export class RolloutFailed extends UserError {
  readonly rolloutCause: Cause | undefined
  readonly evidence: readonly Evidence[]
  constructor(message: string, rolloutCause: Cause | undefined, evidence: readonly Evidence[]) {
    super(
      message,
      evidence.flatMap(({ logs, events }) => [
        ...logs.map((line) => `log    ${line}`),
        ...events.map((line) => `event  ${line}`),
      ]),
      { code: rolloutCause?.code },
    )
    this.name = 'RolloutFailed'
    this.rolloutCause = rolloutCause
    this.evidence = evidence
  }
}

/** Any error that ends a rollout, as one. */
export function failureOf(error: UserError): RolloutFailed {
  if (error instanceof RolloutFailed) return error
  const code = error.code as CauseCode | undefined
  const cause = code === undefined ? undefined : { code, text: error.message, remedy: '' }
  return new RolloutFailed(error.message, cause, [])
}
