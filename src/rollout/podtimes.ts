import type { Cluster } from '../cluster/cluster.ts'
import type { Picture } from '../cluster/watch.ts'
import { at, listAt, numberAt, textAt } from '../json.ts'

/** From one time to another, as the cluster says them: whole seconds, in ISO 8601. */
export type Span = { readonly from: string; readonly to: string }

/** What became of one pod that began or ended during a deploy; null where it did not come to that. */
export type PodTimes = {
  readonly pod: string
  /** The Deployment, StatefulSet, DaemonSet or Job that it belongs to. */
  readonly workload: string
  /** Whether it began during the deploy; the others were there and had to go. */
  readonly isNew: boolean
  readonly created: string
  readonly scheduled: string | null
  /** Of all its images; null where they were on the node. */
  readonly pull: Span | null
  /** Of its init containers, the first to the last. */
  readonly init: Span | null
  /** When the last of its containers began to run. */
  readonly started: string | null
  /** When it became ready for the first time. */
  readonly ready: string | null
  /** Of all its containers. */
  readonly restarts: number
  /** When it was told to end. */
  readonly leaving: string | null
  /** When it was gone, or its work was over; null where it still ran at the end. */
  readonly gone: string | null
}

/** The times of a pod as it is now. What was known of it before stays: a pod that ends or restarts forgets when it was ready. */
export function timesOf(pod: unknown, picture: Picture, known: PodTimes | undefined): PodTimes {
  const inits = listAt(pod, 'status', 'initContainerStatuses')
  const begins = inits.flatMap((one) => startOf(one) ?? [])
  const ends = inits.flatMap((one) => textAt(one, 'state', 'terminated', 'finishedAt') ?? [])
  const containers = listAt(pod, 'status', 'containerStatuses')
  const starts = containers.map(startOf)
  const [from, to] = [begins.toSorted()[0], ends.toSorted().at(-1)]
  const started = starts.includes(undefined) ? null : (starts.toSorted().at(-1) ?? null)
  return {
    pod: nameOf(pod),
    workload: known?.workload ?? workloadOf(pod, picture),
    isNew: known?.isNew ?? true,
    created: textAt(pod, 'metadata', 'creationTimestamp') ?? '',
    scheduled: known?.scheduled ?? conditionTime(pod, 'PodScheduled'),
    pull: null,
    init: from === undefined || to === undefined ? (known?.init ?? null) : { from, to },
    started: known?.started ?? started,
    ready: known?.ready ?? conditionTime(pod, 'Ready'),
    restarts: containers.reduce<number>(
      (sum, status) => sum + (numberAt(status, 'restartCount') ?? 0),
      0,
    ),
    leaving: leavingOf(pod),
    gone: doneAt(pod),
  }
}

/** A pod whose work is over stays and does nothing. */
function doneAt(pod: unknown): string | null {
  const phase = textAt(pod, 'status', 'phase')
  if (phase !== 'Succeeded' && phase !== 'Failed') return null
  const ends = listAt(pod, 'status', 'containerStatuses').flatMap(
    (one) => textAt(one, 'state', 'terminated', 'finishedAt') ?? [],
  )
  return ends.toSorted().at(-1) ?? null
}

/** The server writes when a pod has to be gone at last: its time to end comes before that. */
function leavingOf(pod: unknown): string | null {
  const last = textAt(pod, 'metadata', 'deletionTimestamp')
  if (last === undefined) return null
  const grace = numberAt(pod, 'metadata', 'deletionGracePeriodSeconds') ?? 0
  return new Date(Date.parse(last) - grace * 1000).toISOString()
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
export async function readPulls(
  namespace: string,
  cluster: Cluster,
): Promise<ReadonlyMap<string, Span>> {
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
