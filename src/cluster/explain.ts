import { listAt, textAt } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'
import { type Answer, reasonOf } from './cluster.ts'
import { type Conflict, conflictsOf, describeConflict } from './conflicts.ts'
import { missingRight } from './rights.ts'

/** The server dumps whole structures in front of what it means. */
const DUMP = /^Invalid value: .*: (?=field is immutable)/s

/** Why the server would not take an object, in words that name field, manager and values. */
export function explain(
  answer: Answer,
  object: KubeObject,
  { live, conflicts = conflictsOf(answer) }: Context,
): string {
  if (conflicts.length > 0) {
    const list = conflicts.map((conflict) => describeConflict(conflict, object, live)).join('; ')
    return `${list}. Leave it out of the manifests, set it to what is there, or deploy with force-conflicts: true to take it`
  }
  const causes = listAt(answer.body, 'details', 'causes').flatMap((cause) => {
    const message = (textAt(cause, 'message') ?? '').replace(DUMP, '')
    return message === '' ? [] : [`${textAt(cause, 'field') ?? ''}: ${message}`]
  })
  if (answer.status !== 422 || causes.length === 0 || missingRight(answer) !== undefined)
    return reasonOf(answer)
  const isFixed = causes.some((cause) => cause.includes('field is immutable'))
  const remedy = isFixed ? '. Give it another name, or delete it first if it may be gone' : ''
  return `${causes.join('; ')}${remedy}`
}

type Context = { readonly live: unknown; readonly conflicts?: readonly Conflict[] }
