import type { Cluster } from '../cluster/cluster.ts'
import type { Picture } from '../cluster/watch.ts'
import { at, listAt, textAt } from '../json.ts'
import type { Clock } from '../world.ts'

/** From one time to another, as the cluster says them: whole seconds, in ISO 8601. */
export type Span = { readonly from: string; readonly to: string }

/** What became of one pod that began during a deploy; null where it did not come to that. */
export type PodTimes = {
  readonly pod: string
  /** The Deployment, StatefulSet, DaemonSet or Job that it belongs to. */
  readonly workload: string
  readonly created: string
  readonly scheduled: string | null
  /** Of all its images; null where they were on the node. */
  readonly pull: Span | null
  /** Of its init containers, the first to the last. */
  readonly init: Span | null
  /** When the last of its containers began to run. */
  readonly started: string | null
  readonly ready: string | null
}

/** Requests that began to go elsewhere. */
export type ShiftTime = { readonly at: string; readonly service: string; readonly what: string }

export type Timeline = {
  readonly began: string
  readonly ended: string
  readonly pods: readonly PodTimes[]
  readonly shifts: readonly ShiftTime[]
}

/** Collects during a deploy what its timeline shows. */
export type TimelineRecorder = {
  shift: (service: string, what: string) => void
  /** Keeps what a picture knows about pods that are new since the first one; pods that are gone later stay known. */
  capture: (picture: Picture) => void
  /** Asks for the events of the pulls and puts everything together. */
  finish: (namespace: string, cluster: Cluster) => Promise<Timeline>
}

export function recordTimeline(clock: Clock): TimelineRecorder {
  const began = clock.now().toISOString()
  const shifts: ShiftTime[] = []
  const pods = new Map<string, PodTimes>()
  let before: ReadonlySet<string> | undefined
  return {
    shift: (service, what) => {
      shifts.push({ at: clock.now().toISOString(), service, what })
    },
    capture: (picture) => {
      before ??= new Set(picture.Pod.map(uidOf))
      for (const pod of picture.Pod)
        if (!before.has(uidOf(pod))) pods.set(nameOf(pod), timesOf(pod, picture))
    },
    finish: async (namespace, cluster) => {
      const pulls = pods.size === 0 ? new Map<string, Span>() : await readPulls(namespace, cluster)
      const list = [...pods.values()]
        .map((pod) => ({ ...pod, pull: pulls.get(pod.pod) ?? null }))
        .toSorted((a, b) => a.created.localeCompare(b.created) || a.pod.localeCompare(b.pod))
      return { began, ended: clock.now().toISOString(), pods: list, shifts }
    },
  }
}

function timesOf(pod: unknown, picture: Picture): PodTimes {
  const inits = listAt(pod, 'status', 'initContainerStatuses')
  const begins = inits.flatMap((one) => startOf(one) ?? [])
  const ends = inits.flatMap((one) => textAt(one, 'state', 'terminated', 'finishedAt') ?? [])
  const starts = listAt(pod, 'status', 'containerStatuses').map(startOf)
  const [from, to] = [begins.toSorted()[0], ends.toSorted().at(-1)]
  return {
    pod: nameOf(pod),
    workload: workloadOf(pod, picture),
    created: textAt(pod, 'metadata', 'creationTimestamp') ?? '',
    scheduled: conditionTime(pod, 'PodScheduled'),
    pull: null,
    init: from === undefined || to === undefined ? null : { from, to },
    started: starts.includes(undefined) ? null : (starts.toSorted().at(-1) ?? null),
    ready: conditionTime(pod, 'Ready'),
  }
}

function startOf(status: unknown): string | undefined {
  return (
    textAt(status, 'state', 'running', 'startedAt') ??
    textAt(status, 'state', 'terminated', 'startedAt')
  )
}

function conditionTime(pod: unknown, type: string): string | null {
  const found = listAt(pod, 'status', 'conditions').find(
    (condition) => textAt(condition, 'type') === type && textAt(condition, 'status') === 'True',
  )
  return textAt(found, 'lastTransitionTime') ?? null
}

function workloadOf(pod: unknown, picture: Picture): string {
  const owner = at(pod, 'metadata', 'ownerReferences', 0)
  const name = textAt(owner, 'name') ?? nameOf(pod)
  if (textAt(owner, 'kind') !== 'ReplicaSet') return name
  const set = picture.ReplicaSet.find((found) => nameOf(found) === name)
  return textAt(set, 'metadata', 'ownerReferences', 0, 'name') ?? name
}

/** From the first "Pulling" to the last "Pulled" of each pod. Events that can't be read leave them out: a picture is no reason to fail. */
async function readPulls(namespace: string, cluster: Cluster): Promise<ReadonlyMap<string, Span>> {
  const selector = encodeURIComponent('involvedObject.kind=Pod')
  const path = `/api/v1/namespaces/${namespace}/events?fieldSelector=${selector}`
  const answer = await cluster.call({ method: 'GET', path }).catch(() => undefined)
  const spans = new Map<string, Span>()
  const events = listAt(answer?.body, 'items')
    .map((event) => ({ event, time: timeOf(event) }))
    .toSorted((a, b) => a.time.localeCompare(b.time))
  for (const { event, time } of events) {
    const pod = textAt(event, 'involvedObject', 'name') ?? ''
    const reason = textAt(event, 'reason')
    const known = spans.get(pod)
    if (reason === 'Pulling') spans.set(pod, { from: known?.from ?? time, to: time })
    if (reason === 'Pulled' && known !== undefined) spans.set(pod, { ...known, to: time })
  }
  return spans
}

function timeOf(event: unknown): string {
  return textAt(event, 'firstTimestamp') ?? textAt(event, 'eventTime') ?? ''
}

function nameOf(object: unknown): string {
  return textAt(object, 'metadata', 'name') ?? ''
}

function uidOf(object: unknown): string {
  return textAt(object, 'metadata', 'uid') ?? ''
}
