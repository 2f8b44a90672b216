import type { Picture } from '../../cluster/watch.ts'
import { listAt, numberAt, textAt } from '../../json.ts'
import type { KubeObject } from '../../render/manifest.ts'

const REVISION = 'deployment.kubernetes.io/revision'

/** The live object of the name and namespace of one that was rendered. */
export function findLive(object: KubeObject, list: readonly unknown[]): unknown {
  const { name, namespace } = object.metadata
  return named(list)
    .get(name)
    ?.find((item) => {
      const place = textAt(item, 'metadata', 'namespace')
      return place === undefined || namespace === undefined || place === namespace
    })
}

export function conditionOf(live: unknown, type: string): unknown {
  return listAt(live, 'status', 'conditions').find(
    (condition) => textAt(condition, 'type') === type,
  )
}

export function isTrue(live: unknown, type: string): boolean {
  return textAt(conditionOf(live, type), 'status') === 'True'
}

/** The controller has seen the newest generation. A missing observedGeneration means it has not. */
export function isObserved(live: unknown): boolean {
  const generation = numberAt(live, 'metadata', 'generation')
  const observed = numberAt(live, 'status', 'observedGeneration')
  return generation !== undefined && observed !== undefined && observed >= generation
}

export function isGoing(live: unknown): boolean {
  return textAt(live, 'metadata', 'deletionTimestamp') !== undefined
}

export function uidOf(live: unknown): string {
  return textAt(live, 'metadata', 'uid') ?? ''
}

/** The ReplicaSet of the newest revision that belongs to the live Deployment. */
export function newestReplicaSet(deployment: unknown, picture: Picture): unknown {
  const revision = textAt(deployment, 'metadata', 'annotations', REVISION)
  return ownedBy(deployment, picture.ReplicaSet).find(
    (set) => textAt(set, 'metadata', 'annotations', REVISION) === revision,
  )
}

/** The pods that the newest revision of a workload made. */
export function newestPods(object: KubeObject, picture: Picture): readonly unknown[] {
  switch (object.kind) {
    case 'Deployment':
      return ownedBy(newestReplicaSet(findLive(object, picture.Deployment), picture), picture.Pod)
    case 'StatefulSet': {
      const live = findLive(object, picture.StatefulSet)
      return ownedBy(live, picture.Pod).filter((pod) => isOfRevision(pod, live))
    }
    case 'DaemonSet': {
      const live = findLive(object, picture.DaemonSet)
      const newest = textAt(live, 'metadata', 'annotations', DAEMON_GENERATION)
      return ownedBy(live, picture.Pod).filter(
        (pod) => (textAt(pod, 'metadata', 'labels', POD_GENERATION) ?? newest) === newest,
      )
    }
    case 'Job':
      return ownedBy(findLive(object, picture.Job), picture.Pod)
    case 'Pod':
      return [findLive(object, picture.Pod)].filter((pod) => pod !== undefined)
    default:
      return []
  }
}

/** A DaemonSet names its newest revision nowhere else. */
const DAEMON_GENERATION = 'deprecated.daemonset.template.generation'
const POD_GENERATION = 'pod-template-generation'

/** Whether a pod of a StatefulSet is of the revision that it goes to. Its `currentRevision` is not to be relied on (kubernetes#106055). */
export function isOfRevision(pod: unknown, statefulSet: unknown): boolean {
  const revision = textAt(statefulSet, 'status', 'updateRevision')
  return textAt(pod, 'metadata', 'labels', 'controller-revision-hash') === revision
}

/** Those of `list` that `owner` made. */
export function ownedBy(owner: unknown, list: readonly unknown[]): readonly unknown[] {
  const uid = uidOf(owner)
  return uid === '' ? [] : (owned(list).get(uid) ?? [])
}

/** What was said about an object, by its UID; newest last. */
export function eventsAbout(live: unknown, picture: Picture): readonly unknown[] {
  const uid = uidOf(live)
  return uid === '' ? [] : (told(picture.Event).get(uid) ?? [])
}

/** How often an event was seen: a repeated one is counted, not written again. */
export function timesOf(event: unknown): number {
  return numberAt(event, 'series', 'count') ?? numberAt(event, 'count') ?? 1
}

// A picture is looked at by thousands of objects: each of its lists is sorted once.
const named = indexBy((item) => [textAt(item, 'metadata', 'name') ?? ''])
const owned = indexBy((item) =>
  listAt(item, 'metadata', 'ownerReferences').flatMap((owner) => textAt(owner, 'uid') ?? []),
)
const told = indexBy((event) => [textAt(event, 'involvedObject', 'uid') ?? ''])

type Index = ReadonlyMap<string, readonly unknown[]>

function indexBy(
  keysOf: (item: unknown) => readonly string[],
): (list: readonly unknown[]) => Index {
  const made = new WeakMap<readonly unknown[], Index>()
  return (list) => {
    const known = made.get(list)
    if (known !== undefined) return known
    const index = new Map<string, unknown[]>()
    for (const item of list)
      for (const key of keysOf(item)) {
        const found = index.get(key)
        if (found === undefined) index.set(key, [item])
        else found.push(item)
      }
    made.set(list, index)
    return index
  }
}
