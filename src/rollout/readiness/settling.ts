import type { Picture } from '../../cluster/watch.ts'
import { at, listAt, numberAt, textAt } from '../../json.ts'
import type { KubeObject } from '../../render/manifest.ts'
import { conditionOf, findLive, isGoing, isTrue, newestPods, uidOf } from './live.ts'
import type { Sightings } from './sightings.ts'

/** What a rollout began with, and remembers from wave to wave. */
export type Course = {
  /** All workloads of the release. */
  readonly objects: readonly KubeObject[]
  /** UIDs of the pods that were there before the first write: they have proved themselves. */
  readonly before: ReadonlySet<string>
  readonly sightings: Sightings
  /** How long a new pod must stay ready where its workload has no minReadySeconds. */
  readonly settleMs: number
}

/** After a crash it has to run longer than the last time, and this much more. */
const MARGIN_MS = 3_000
const LONGEST_HOLD_MS = 60_000
/** Without a probe, ready is only started: a program that does not find what it needs ends after it has looked for it. */
const UNPROBED = 2
/** Clocks of node and server may differ: a node is not thought slower than this. */
const LONGEST_LAG_MS = 10_000

/**
 * What keeps a rollout from being believed although all of it is ready: a pod that is new and has only just become so, or one that has
 * crashed and does not run longer yet than it did before. Kubernetes calls a container without a readiness probe ready as soon as it is
 * started.
 */
export function unsettled(course: Course, picture: Picture): readonly string[] {
  return course.objects.flatMap((object) => {
    const pods = newestPods(object, picture).filter(
      (pod) => !course.before.has(uidOf(pod)) && !isGoing(pod),
    )
    const findings = pods.flatMap((pod) => [
      ...freshness(object, pod, { course, picture }),
      ...relapses(pod, course),
    ])
    return findings
      .slice(0, 1)
      .map((finding) => `${object.kind} ${object.metadata.name}: ${finding}`)
  })
}

function freshness(
  object: KubeObject,
  pod: unknown,
  { course, picture }: { readonly course: Course; readonly picture: Picture },
): readonly string[] {
  if (object.kind !== 'Deployment' && object.kind !== 'StatefulSet' && object.kind !== 'DaemonSet')
    return []
  // The counts of its workload may be of a moment before.
  if (!isTrue(pod, 'Ready')) return ['a pod is not ready any more']
  const held = course.sightings.heldFor(`ready ${uidOf(pod)}`)
  // Who has a probe and has said how long is long enough is taken at their word; the server counts that.
  const said = numberAt(findLive(object, picture[object.kind]), 'spec', 'minReadySeconds') ?? 0
  const isProbed = listAt(pod, 'spec', 'containers').some(
    (container) => at(container, 'readinessProbe') !== undefined,
  )
  if (said > 0 && isProbed) return []
  const enough = (isProbed ? course.settleMs : course.settleMs * UNPROBED) + lagOf(pod)
  return held < enough ? ['ready, and must stay so for a moment'] : []
}

/**
 * How long the node took to tell that the pod is ready, in milliseconds: bad news of the pod will take as long. From the kubelet's own
 * time of the change to the server's time of the write.
 */
function lagOf(pod: unknown): number {
  const status = listAt(pod, 'metadata', 'managedFields').find(
    (entry) => textAt(entry, 'subresource') === 'status' && textAt(entry, 'manager') === 'kubelet',
  )
  const told = Date.parse(textAt(status, 'time') ?? '')
  const lag = told - Date.parse(textAt(conditionOf(pod, 'Ready'), 'lastTransitionTime') ?? '')
  return Number.isFinite(lag) ? Math.min(Math.max(lag, 0), LONGEST_LAG_MS) : 0
}

function relapses(pod: unknown, { sightings }: Course): readonly string[] {
  return listAt(pod, 'status', 'containerStatuses').flatMap((status) => {
    const restarts = numberAt(status, 'restartCount') ?? 0
    if (restarts === 0 || at(status, 'state', 'running') === undefined) return []
    const name = textAt(status, 'name') ?? ''
    const held = sightings.heldFor(`runs ${uidOf(pod)}/${name}/${restarts}`)
    return held < holdAfter(at(status, 'lastState', 'terminated'))
      ? [`its container ${name} has crashed, and must run longer than it did then`]
      : []
  })
}

/** Both times are of the same clock, whichever that is. */
function holdAfter(ended: unknown): number {
  const [from, to] = ['startedAt', 'finishedAt'].map((key) => Date.parse(textAt(ended, key) ?? ''))
  const lasted = (to ?? NaN) - (from ?? NaN)
  return Math.min(Number.isFinite(lasted) ? lasted + MARGIN_MS : MARGIN_MS, LONGEST_HOLD_MS)
}
