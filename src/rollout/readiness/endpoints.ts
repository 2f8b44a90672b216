import type { Picture } from '../../cluster/watch.ts'
import { at, isObject, listAt, numberAt, textAt } from '../../json.ts'
import type { KubeObject } from '../../render/manifest.ts'
import { isGoing, isTrue, uidOf } from './live.ts'
import { type Readiness, ready, type View, waiting } from './verdict.ts'

/**
 * A Service is ready when its EndpointSlices hold every ready pod that it selects, and at least one: a pod that is ready and not
 * behind its Service gets no request yet. Workloads that are scaled to nothing have nothing to be behind it.
 */
export function serviceReadiness(object: KubeObject, { picture }: View): Readiness {
  const selector = at(object, 'spec', 'selector')
  if (textAt(object, 'spec', 'type') === 'ExternalName') return ready('points outside')
  if (!isObject(selector) || Object.keys(selector).length === 0) return ready('has no selector')
  const behind = endpointsOf(object, picture).filter(isAble)
  const pods = picture.Pod.filter(
    (pod) => isSelected(pod, selector) && isTrue(pod, 'Ready') && !isGoing(pod),
  )
  const known = new Set(behind.flatMap((endpoint) => textAt(endpoint, 'targetRef', 'uid') ?? []))
  const missing = pods.filter((pod) => isInNamespace(pod, object) && !known.has(uidOf(pod)))
  if (missing.length > 0)
    return waiting(`${missing.length} of ${pods.length} ready pods are not behind it yet`)
  if (behind.length > 0) return ready(`${behind.length} endpoints`)
  return isScaledToNothing(selector, picture)
    ? ready('its pods are scaled to 0')
    : waiting('no ready endpoint')
}

/** All endpoints of a Service, ready or not. */
export function endpointsOf(service: KubeObject, picture: Picture): readonly unknown[] {
  const { name } = service.metadata
  return picture.EndpointSlice.filter(
    (slice) =>
      textAt(slice, 'metadata', 'labels', 'kubernetes.io/service-name') === name &&
      isInNamespace(slice, service),
  ).flatMap((slice) => listAt(slice, 'endpoints'))
}

function isAble(endpoint: unknown): boolean {
  // Missing means unknown, which proxies take for ready.
  return at(endpoint, 'conditions', 'ready') !== false
}

function isSelected(item: unknown, selector: Record<string, unknown>): boolean {
  const labels = at(item, 'metadata', 'labels')
  return Object.entries(selector).every(([key, value]) => at(labels, key) === value)
}

function isInNamespace(item: unknown, other: unknown): boolean {
  const [one, two] = [item, other].map((held) => textAt(held, 'metadata', 'namespace'))
  return one === undefined || two === undefined || one === two
}

function isScaledToNothing(selector: Record<string, unknown>, picture: Picture): boolean {
  const workloads = [...picture.Deployment, ...picture.StatefulSet].filter((workload) =>
    isSelected(at(workload, 'spec', 'template'), selector),
  )
  return (
    workloads.length > 0 &&
    workloads.every((workload) => (numberAt(workload, 'spec', 'replicas') ?? 1) === 0)
  )
}
