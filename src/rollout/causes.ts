import type { Picture } from '../cluster/watch.ts'
import { at, listAt, numberAt, textAt } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'
import { conditionOf, isObserved, newestReplicaSet } from './readiness.ts'

/** Why a workload will not become ready, in words to act on. */
export type Cause = {
  readonly code:
    'image' | 'configuration' | 'crash' | 'out-of-memory' | 'admission' | 'job' | 'pod' | 'secrets'
  /** One line: what happened and what to do. */
  readonly text: string
  /** The object whose events tell more, where that is no pod. */
  readonly subject?: { readonly kind: string; readonly name: string }
  readonly pod?: string
  readonly container?: string
}

/** A first start may lose a race with what it depends on; so many restarts are no race any more. */
const RESTART_BUDGET = 2
/** A registry may have a bad minute; after this a pull error is taken at its word. */
const PULL_GRACE_MS = 60_000
const PULL_REFUSED =
  /not found|manifest unknown|denied|unauthorized|no such host|invalid reference/i

/** The cause of a failure of this workload's newest pods, or undefined while it may still come right. */
export function causeOf(object: KubeObject, picture: Picture, now: Date): Cause | undefined {
  if (object.kind === 'SecretStore' || object.kind === 'ExternalSecret')
    return operatorCause(object, picture[object.kind])
  // Its newest pods are known when its controller has seen it; until then they are those of before.
  if (isWorkload(object.kind) && !isObserved(findLive(object, picture[object.kind])))
    return undefined
  const refused = refusedPods(object, picture)
  if (refused !== undefined) return refused
  for (const pod of newestPods(object, picture)) {
    if (textAt(pod, 'metadata', 'deletionTimestamp') !== undefined) continue
    const cause = podCause(pod, now)
    if (cause !== undefined) return cause
  }
  return undefined
}

const WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet'] as const

function isWorkload(kind: string): kind is (typeof WORKLOADS)[number] {
  return (WORKLOADS as readonly string[]).includes(kind)
}

function findLive(object: KubeObject, list: readonly unknown[]): unknown {
  return list.find((item) => textAt(item, 'metadata', 'name') === object.metadata.name)
}

/** The pods that the newest revision of a workload made. */
export function newestPods(object: KubeObject, picture: Picture): readonly unknown[] {
  const named = (list: readonly unknown[]) => findLive(object, list)
  switch (object.kind) {
    case 'Deployment':
      return ownedBy(newestReplicaSet(named(picture.Deployment), picture), picture)
    case 'StatefulSet': {
      const live = named(picture.StatefulSet)
      const revision = textAt(live, 'status', 'updateRevision')
      return ownedBy(live, picture).filter(
        (pod) => textAt(pod, 'metadata', 'labels', 'controller-revision-hash') === revision,
      )
    }
    case 'DaemonSet':
      return ownedBy(named(picture.DaemonSet), picture)
    case 'Job':
      return ownedBy(named(picture.Job), picture)
    default:
      return []
  }
}

function ownedBy(owner: unknown, picture: Picture): readonly unknown[] {
  const uid = textAt(owner, 'metadata', 'uid')
  if (uid === undefined) return []
  return picture.Pod.filter((pod) =>
    listAt(pod, 'metadata', 'ownerReferences').some((found) => textAt(found, 'uid') === uid),
  )
}

/** The External Secrets operator says only in an event what the store answered; the condition says that it failed. */
function operatorCause(object: KubeObject, live: readonly unknown[]): Cause | undefined {
  const { kind } = object
  const { name } = object.metadata
  const condition = conditionOf(findLive(object, live), 'Ready')
  if (textAt(condition, 'status') !== 'False') return undefined
  const said = `(${textAt(condition, 'reason') ?? ''}: ${textAt(condition, 'message') ?? ''})`
  const text =
    kind === 'SecretStore'
      ? `the operator can't use this store; check its address, role and service account ${said}`
      : `the operator can't read its values; check its path, its keys and what its role may read ${said}`
  return { code: 'secrets', text, subject: { kind, name } }
}

/** Quota, a policy or an admission webhook keeps the controller from making pods. */
function refusedPods(object: KubeObject, picture: Picture): Cause | undefined {
  const live = findLive(object, picture.Deployment)
  const condition = object.kind === 'Deployment' ? conditionOf(live, 'ReplicaFailure') : undefined
  if (textAt(condition, 'status') !== 'True') return undefined
  return {
    code: 'admission',
    text: `the cluster does not let it make pods: ${textAt(condition, 'message') ?? ''}`,
  }
}

function podCause(pod: unknown, now: Date): Cause | undefined {
  const name = textAt(pod, 'metadata', 'name') ?? '?'
  const age = now.getTime() - Date.parse(textAt(pod, 'metadata', 'creationTimestamp') ?? '')
  const statuses = [
    ...listAt(pod, 'status', 'initContainerStatuses'),
    ...listAt(pod, 'status', 'containerStatuses'),
  ]
  for (const status of statuses) {
    const found = waitingCause(status, age) ?? crashCause(status)
    if (found !== undefined)
      return { ...found, pod: name, container: textAt(status, 'name') ?? '?' }
  }
  const phase = textAt(pod, 'status', 'phase')
  const reason = textAt(pod, 'status', 'reason') ?? ''
  const moved = ['Evicted', 'Preempting', 'NodeShutdown', 'Terminated'].includes(reason)
  if (phase !== 'Failed' || moved || isOfJob(pod)) return undefined
  return {
    code: 'pod',
    text: `its pod failed: ${textAt(pod, 'status', 'message') ?? reason}`,
    pod: name,
  }
}

function waitingCause(status: unknown, age: number): Cause | undefined {
  const reason = textAt(status, 'state', 'waiting', 'reason') ?? ''
  const message = textAt(status, 'state', 'waiting', 'message') ?? ''
  const image = textAt(status, 'image') ?? ''
  switch (reason) {
    case 'InvalidImageName':
    case 'ErrImageNeverPull':
      return { code: 'image', text: `the image ${image} can't be used: ${message || reason}` }
    case 'ErrImagePull':
    case 'ImagePullBackOff':
      return PULL_REFUSED.test(message) || age > PULL_GRACE_MS
        ? { code: 'image', text: `the image ${image} can't be pulled: ${message}` }
        : undefined
    case 'CreateContainerConfigError':
      // The kubelet's own cache of Secrets and ConfigMaps may lag a moment behind.
      return message.includes('failed to sync')
        ? undefined
        : { code: 'configuration', text: `its configuration is incomplete: ${message}` }
    case 'CreateContainerError':
    case 'RunContainerError':
      return { code: 'configuration', text: `its container can't be started: ${message}` }
    default:
      return undefined
  }
}

function crashCause(status: unknown): Cause | undefined {
  const restarts = numberAt(status, 'restartCount') ?? 0
  const ended = at(status, 'lastState', 'terminated') ?? at(status, 'state', 'terminated')
  const code = numberAt(ended, 'exitCode') ?? 0
  if (restarts < RESTART_BUDGET || at(status, 'ready') === true) return undefined
  // It runs now: restarts of long ago say nothing about this rollout, and if it ends again that is seen then.
  if (at(status, 'state', 'running') !== undefined) return undefined
  // It came right after all: a Job's container is never "ready".
  if (numberAt(status, 'state', 'terminated', 'exitCode') === 0) return undefined
  if (textAt(ended, 'reason') === 'OOMKilled')
    return {
      code: 'out-of-memory',
      text: `its container is ended for using more memory than its limit; raise the limit or use less`,
    }
  return {
    code: 'crash',
    text: `its container exits with status ${code} (${restarts} restarts); its last words are below`,
  }
}

function isOfJob(pod: unknown): boolean {
  return listAt(pod, 'metadata', 'ownerReferences').some((owner) => textAt(owner, 'kind') === 'Job')
}
