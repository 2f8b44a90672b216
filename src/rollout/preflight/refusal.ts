import { counted } from '../../counted.ts'
import { UserError } from '../../errors.ts'

/** What is wrong in one respect, with a code of docs/causes.md. */
export type Group = {
  readonly message: string
  readonly details: readonly string[]
  readonly code: string | undefined
}

/** Several problems of one sort: `what` says which. Nothing where there is none. */
export function group(
  what: string,
  problems: readonly string[],
  code: string | undefined,
): Group[] {
  if (problems.length === 0) return []
  if (problems.length === 1) return alone(`${what}: ${problems[0] ?? ''}`, code)
  const message = `${what}: ${problems.length} problems, nothing was changed`
  return [{ message, details: problems, code }]
}

/** A problem that says everything itself. */
export function alone(message: string, code: string | undefined): Group[] {
  return [{ message, details: [], code }]
}

/** One thing wrong is told as it is; with several, the first is the first line, and all of them follow. */
export function refuseAll(groups: readonly (readonly Group[])[]): void {
  const found = groups.flat()
  const [first, ...others] = found
  if (first === undefined) return
  const count = others.reduce((sum, { details }) => sum + Math.max(1, details.length), 0)
  const more = count === 0 ? '' : `; ${counted(count, 'more problem')} below`
  const details = [
    ...first.details,
    ...others.flatMap(({ message, details: list }) => [
      message,
      ...list.map((line) => `  ${line}`),
    ]),
  ]
  throw new UserError(`${first.message}${more}`, details, { code: first.code })
}
