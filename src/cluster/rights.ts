import { textAt } from '../json.ts'

/** A right that a login lacks, as the API server names it. */
export type Right = {
  readonly verb: string
  /** With its group, such as `deployments.apps`. */
  readonly resource: string
  /** Undefined for what belongs to the whole cluster. */
  readonly namespace: string | undefined
}

/** Who can give rights, and how. */
export const RIGHTS_REMEDY =
  'an administrator gives these rights with "kubectl apply -k k8s/access/<environment>", see docs/access.md'

const REFUSAL =
  /cannot (\w+) resource "([^"]+)" in API group "([^"]*)" (?:in the namespace "([^"]+)"|at the cluster scope)/

/** The right that a refusal is about. Pod Security and quotas refuse with the same status, and are about no right: undefined. */
export function missingRight(answer: {
  readonly status: number
  readonly body: unknown
}): Right | undefined {
  if (answer.status !== 403) return undefined
  const [, verb, name, group, namespace] = REFUSAL.exec(textAt(answer.body, 'message') ?? '') ?? []
  if (verb === undefined || name === undefined) return undefined
  const resource = group === undefined || group === '' ? name : `${name}.${group}`
  return { verb, resource, namespace }
}

/** `patch deployments.apps in todo-app-dev`. */
export function describeRight({ verb, resource, namespace }: Right): string {
  return `${verb} ${resource} in ${namespace ?? 'the whole cluster'}`
}

/** What a login lacks and who can give it, to go on after "this login". */
export function lacking(rights: readonly Right[]): string {
  const names = [...new Set(rights.map(describeRight))].sort()
  const more = names.length > 1 ? `, and ${names.length - 1} more` : ''
  return `may not ${names[0] ?? ''}${more}; ${RIGHTS_REMEDY}`
}
