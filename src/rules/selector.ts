import { at, isObject, listAt, textAt } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'
import { type Manifests, textsAt, type Workload } from './workload.ts'

/** Whether a label selector (matchLabels and matchExpressions) takes these labels; an empty one takes all. */
export function takes(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
  const equal = Object.entries(textsAt(selector, 'matchLabels'))
  return (
    equal.every(([key, value]) => labels[key] === value) &&
    listAt(selector, 'matchExpressions').every((expression) => holds(expression, labels))
  )
}

export function isEmptySelector(selector: unknown): boolean {
  return (
    isObject(selector) &&
    Object.keys(textsAt(selector, 'matchLabels')).length === 0 &&
    listAt(selector, 'matchExpressions').length === 0
  )
}

/** The workloads in the namespace of `object` whose pods the selector takes. */
export function workloadsTaken(
  object: KubeObject,
  selector: unknown,
  { workloads }: Manifests,
): readonly Workload[] {
  return workloads.filter(
    (workload) => isNeighbour(workload.object, object) && takes(selector, workload.labels),
  )
}

export function isNeighbour(a: KubeObject, b: KubeObject): boolean {
  return a.metadata.namespace === b.metadata.namespace
}

function holds(expression: unknown, labels: Readonly<Record<string, string>>): boolean {
  const value = labels[textAt(expression, 'key') ?? '']
  const values = listAt(expression, 'values')
  switch (at(expression, 'operator')) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      return false
  }
}
