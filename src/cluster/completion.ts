import { at, isObject } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'
import { isGivenUp } from './ownership.ts'

const SCALED = ['Deployment', 'StatefulSet', 'ReplicaSet']
const TEMPLATED = ['Deployment', 'StatefulSet', 'DaemonSet']
const REPLICAS = ['spec', 'replicas']
const ACCOUNT = ['spec', 'template', 'spec', 'serviceAccountName']

/** Whether what is there decides what has to be written. */
export function isIncomplete(object: KubeObject): boolean {
  return (
    (SCALED.includes(object.kind) && at(object, ...REPLICAS) === undefined) ||
    (TEMPLATED.includes(object.kind) && at(object, ...ACCOUNT) === undefined)
  )
}

/**
 * The object with two fields that can't be left out where we gave them before. Without its number of replicas the server would scale to
 * 1: so the number stays as it is, until an autoscaler takes it. Without its service account the server's old alias for it, which
 * belongs to nobody, would bring the account of before back: so the default one is named.
 */
export function completed(object: KubeObject, live: unknown): KubeObject {
  const replicas = at(live, ...REPLICAS)
  const kept =
    SCALED.includes(object.kind) &&
    typeof replicas === 'number' &&
    at(object, ...REPLICAS) === undefined &&
    isGivenUp(live, REPLICAS)
      ? withValue(object, REPLICAS, replicas)
      : object
  const isDropped =
    TEMPLATED.includes(object.kind) &&
    at(object, ...ACCOUNT) === undefined &&
    at(live, ...ACCOUNT) !== undefined &&
    isGivenUp(live, ACCOUNT)
  return (isDropped ? withValue(kept, ACCOUNT, 'default') : kept) as KubeObject
}

function withValue(value: unknown, path: readonly string[], wanted: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return wanted
  const object = isObject(value) ? value : {}
  return { ...object, [key]: withValue(object[key], rest, wanted) }
}
