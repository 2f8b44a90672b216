import { isObject } from '../../json.ts'

export type Labels = Readonly<Record<string, string>>

/** On pods: which set they belong to. It is the only thing that a strategy adds to them. */
export const SET = 'todo-deploy.dev/set'
/** On the Deployment of a set: the name that the release gives the workload. */
export const WORKLOAD = 'todo-deploy.dev/workload'
/** On a Service: it is there to try a new set from inside, and nobody's requests are on it. */
export const TRACK = 'todo-deploy.dev/track'
/** Kubernetes' own name for the pods of one ReplicaSet: tells the pods of an ordinary Deployment apart without touching them. */
export const TEMPLATE_HASH = 'pod-template-hash'

export function labelsIn(value: unknown): Labels {
  if (!isObject(value)) return {}
  return Object.fromEntries(
    Object.entries(value).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  )
}

/** A selector without what a strategy has added: what the manifests say. */
export function baseOf(selector: Labels): Labels {
  const { [SET]: _set, [TEMPLATE_HASH]: _hash, ...base } = selector
  return base
}

export function matches(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value)
}

export function isSame(one: Labels, other: Labels): boolean {
  return matches(one, other) && matches(other, one)
}

/**
 * The selector for pods of before and after alike, or undefined where none of the two bases covers the other: then there is no
 * selector that means these pods and nothing else.
 */
export function widest(before: Labels, after: Labels): Labels | undefined {
  const [one, other] = [baseOf(before), baseOf(after)]
  const found = matches(one, other) ? one : matches(other, one) ? other : undefined
  return found === undefined || Object.keys(found).length === 0 ? undefined : found
}

/** `app=web,todo-deploy.dev/set=1f2e3d4c`, as kubectl writes it. */
export function describeLabels(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
}
