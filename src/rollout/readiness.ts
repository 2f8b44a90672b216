import type { Picture } from '../cluster/watch.ts'
import { at, listAt, numberAt, textAt } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'

/** Whether one object does what it was made for, in the server's own terms. */
export type Readiness =
  | { readonly state: 'ready'; readonly detail: string }
  | { readonly state: 'waiting'; readonly detail: string }
  | { readonly state: 'failed'; readonly detail: string }

const REVISION = 'deployment.kubernetes.io/revision'

const AWAITED = [
  ...['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'Service'],
  ...['SecretStore', 'ExternalSecret'],
]

/** Kinds that are watched until they are ready; the others are ready when they are written. */
export function isAwaited(kind: string): boolean {
  return AWAITED.includes(kind)
}

/**
 * The readiness of `object` as rendered, against the live picture of its namespace. The rules start from kstatus and correct it: a
 * missing `observedGeneration` is not "observed", and a Job is ready when it is complete.
 */
export function readinessOf(object: KubeObject, picture: Picture): Readiness {
  const { name } = object.metadata
  const find = (list: readonly unknown[]) =>
    list.find((item) => textAt(item, 'metadata', 'name') === name)
  switch (object.kind) {
    case 'Deployment':
      return deploymentReadiness(find(picture.Deployment))
    case 'StatefulSet':
      return statefulSetReadiness(find(picture.StatefulSet))
    case 'DaemonSet':
      return daemonSetReadiness(find(picture.DaemonSet))
    case 'Job':
      return jobReadiness(find(picture.Job))
    case 'Service':
      return serviceReadiness(object, picture)
    case 'SecretStore':
      return storeReadiness(find(picture.SecretStore))
    case 'ExternalSecret':
      return externalSecretReadiness(find(picture.ExternalSecret))
    default:
      return { state: 'ready', detail: 'written' }
  }
}

/** The ReplicaSet of the newest revision that belongs to the live Deployment. */
export function newestReplicaSet(deployment: unknown, picture: Picture): unknown {
  const uid = textAt(deployment, 'metadata', 'uid')
  const revision = textAt(deployment, 'metadata', 'annotations', REVISION)
  return picture.ReplicaSet.find(
    (set) =>
      listAt(set, 'metadata', 'ownerReferences').some((owner) => textAt(owner, 'uid') === uid) &&
      textAt(set, 'metadata', 'annotations', REVISION) === revision,
  )
}

function deploymentReadiness(live: unknown): Readiness {
  if (!isObserved(live)) return waiting('not seen by its controller yet')
  const progressing = conditionOf(live, 'Progressing')
  if (textAt(progressing, 'reason') === 'ProgressDeadlineExceeded')
    return failed('it made no progress within its progressDeadlineSeconds')
  if (at(live, 'spec', 'paused') === true)
    return failed('it is paused: resume it (kubectl rollout resume) and deploy again')
  const wanted = numberAt(live, 'spec', 'replicas') ?? 1
  const count = (key: string) => numberAt(live, 'status', key) ?? 0
  if (count('updatedReplicas') < wanted)
    return waiting(`${count('updatedReplicas')} of ${wanted} pods are of this revision`)
  if (count('replicas') > count('updatedReplicas'))
    return waiting(`${count('replicas') - count('updatedReplicas')} pods of the old revision left`)
  if (count('availableReplicas') < wanted)
    return waiting(`${count('availableReplicas')} of ${wanted} pods available`)
  return ready(`${wanted} of ${wanted} pods available`)
}

function statefulSetReadiness(live: unknown): Readiness {
  if (!isObserved(live)) return waiting('not seen by its controller yet')
  const wanted = numberAt(live, 'spec', 'replicas') ?? 1
  const partition = numberAt(live, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0
  const count = (key: string) => numberAt(live, 'status', key) ?? 0
  const onDelete = textAt(live, 'spec', 'updateStrategy', 'type') === 'OnDelete'
  if (!onDelete && count('updatedReplicas') < wanted - partition)
    return waiting(`${count('updatedReplicas')} of ${wanted - partition} pods are of this revision`)
  if (count('readyReplicas') < wanted)
    return waiting(`${count('readyReplicas')} of ${wanted} pods ready`)
  return ready(`${wanted} of ${wanted} pods ready`)
}

function daemonSetReadiness(live: unknown): Readiness {
  if (!isObserved(live)) return waiting('not seen by its controller yet')
  const count = (key: string) => numberAt(live, 'status', key) ?? 0
  const wanted = count('desiredNumberScheduled')
  const done = Math.min(count('updatedNumberScheduled'), count('numberAvailable'))
  return done < wanted ? waiting(`${done} of ${wanted} pods available`) : ready(`${wanted} pods`)
}

function jobReadiness(live: unknown): Readiness {
  if (live === undefined) return waiting('not there yet')
  const broken = conditionOf(live, 'Failed')
  if (textAt(broken, 'status') === 'True')
    return failed(`it failed: ${textAt(broken, 'message') ?? textAt(broken, 'reason') ?? ''}`)
  const complete = textAt(conditionOf(live, 'Complete'), 'status') === 'True'
  return complete ? ready('complete') : waiting('running')
}

/** A Service with a selector has at least one endpoint that is ready. */
function serviceReadiness(object: KubeObject, picture: Picture): Readiness {
  const selector = at(object, 'spec', 'selector')
  if (selector === undefined || textAt(object, 'spec', 'type') === 'ExternalName')
    return ready('has no selector')
  const { name } = object.metadata
  const endpoints = picture.EndpointSlice.filter(
    (slice) => textAt(slice, 'metadata', 'labels', 'kubernetes.io/service-name') === name,
  ).flatMap((slice) => listAt(slice, 'endpoints'))
  const able = endpoints.filter((endpoint) => at(endpoint, 'conditions', 'ready') === true)
  return able.length === 0 ? waiting('no ready endpoint') : ready(`${able.length} endpoints`)
}

/** A store says no generation: a changed one may still be called ready for the moment that its operator needs to look. */
function storeReadiness(live: unknown): Readiness {
  const condition = conditionOf(live, 'Ready')
  if (condition === undefined) return waiting('not seen by its operator yet')
  const said = textAt(condition, 'reason') ?? ''
  return textAt(condition, 'status') === 'True' ? ready(said) : waiting(said)
}

/** Ready, and so for the newest generation, which stands before the dash in what was synced. */
function externalSecretReadiness(live: unknown): Readiness {
  const [synced] = (textAt(live, 'status', 'syncedResourceVersion') ?? '').split('-')
  const isNewest = synced === String(numberAt(live, 'metadata', 'generation'))
  const condition = conditionOf(live, 'Ready')
  if (textAt(condition, 'status') === 'False') return waiting(textAt(condition, 'reason') ?? '')
  if (condition === undefined || !isNewest) return waiting('not seen by its operator yet')
  return ready(textAt(condition, 'reason') ?? '')
}

/** The controller has seen the newest generation. A missing observedGeneration means it has not. */
export function isObserved(live: unknown): boolean {
  const generation = numberAt(live, 'metadata', 'generation')
  const observed = numberAt(live, 'status', 'observedGeneration')
  return generation !== undefined && observed !== undefined && observed >= generation
}

export function conditionOf(live: unknown, type: string): unknown {
  return listAt(live, 'status', 'conditions').find(
    (condition) => textAt(condition, 'type') === type,
  )
}

const ready = (detail: string): Readiness => ({ state: 'ready', detail })
const waiting = (detail: string): Readiness => ({ state: 'waiting', detail })
const failed = (detail: string): Readiness => ({ state: 'failed', detail })
