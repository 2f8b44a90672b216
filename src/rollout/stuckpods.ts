import type { Cluster } from '../cluster/cluster.ts'
import { reasonOf } from '../cluster/cluster.ts'
import type { Picture } from '../cluster/watch.ts'
import { at, listAt, textAt } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'
import type { World } from '../world.ts'
import {
  findLive,
  isGoing,
  isObserved,
  isOfRevision,
  isTrue,
  ownedBy,
  uidOf,
} from './readiness/live.ts'
import type { Sightings } from './readiness/sightings.ts'

/** A pod of the old revision that is only just starting may still become ready; one that is stuck stays so. */
const STUCK_MS = 5_000

/**
 * A StatefulSet waits for its pod to become ready before it replaces it, also where the pod is of a revision that never can
 * (kubernetes#67250). So such pods are deleted here, the highest ordinal first and one at a time; the controller makes them of the new
 * revision. Pods that are ready are never touched.
 */
export async function replaceStuckPods(
  objects: readonly KubeObject[],
  seen: { readonly picture: Picture; readonly sightings: Sightings },
  { cluster, world }: { readonly cluster: Cluster; readonly world: World },
): Promise<void> {
  for (const object of objects.filter(({ kind }) => kind === 'StatefulSet')) {
    const pod = stuckPodOf(object, seen.picture)
    if (pod === undefined) continue
    const name = textAt(pod, 'metadata', 'name') ?? ''
    if (seen.sightings.heldFor(`stuck ${uidOf(pod)}`) < STUCK_MS) continue
    if (seen.sightings.known(`deleted ${uidOf(pod)}`)) continue
    seen.sightings.first(`deleted ${uidOf(pod)}`, true)
    const namespace = textAt(pod, 'metadata', 'namespace') ?? ''
    const answer = await cluster.call({
      method: 'DELETE',
      path: `/api/v1/namespaces/${namespace}/pods/${name}`,
      body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: uidOf(pod) } },
    })
    if (answer.status < 300)
      world.progress.say(`deleted Pod ${name}: it is of an older revision and can't become ready`)
    else if (answer.status !== 404 && answer.status !== 409)
      world.progress.warn(
        `Pod ${name} is of an older revision, can't become ready and holds up its StatefulSet; delete it (kubectl -n ${namespace} delete pod ${name}): ${reasonOf(answer)}`,
      )
  }
}

/** The broken pod of another revision with the highest ordinal, where the controller has seen the newest one and no pod is just going. */
function stuckPodOf(object: KubeObject, picture: Picture): unknown {
  const live = findLive(object, picture.StatefulSet)
  if (!isObserved(live)) return undefined
  if (textAt(live, 'spec', 'updateStrategy', 'type') === 'OnDelete') return undefined
  const pods = ownedBy(live, picture.Pod)
  if (pods.some(isGoing)) return undefined
  return pods
    .filter((pod) => !isOfRevision(pod, live) && !isTrue(pod, 'Ready') && isBroken(pod))
    .toSorted((a, b) => ordinalOf(b) - ordinalOf(a))[0]
}

/** It has crashed, lacks something, or no node takes it. One that has only not passed its probe yet may do so. */
function isBroken(pod: unknown): boolean {
  const statuses = [
    ...listAt(pod, 'status', 'initContainerStatuses'),
    ...listAt(pod, 'status', 'containerStatuses'),
  ]
  const waits = statuses.some((status) =>
    /BackOff|^Err|Error$|InvalidImageName/.test(textAt(status, 'state', 'waiting', 'reason') ?? ''),
  )
  const hasCrashed = statuses.some((status) => Number(at(status, 'restartCount') ?? 0) > 0)
  return waits || hasCrashed || textAt(pod, 'status', 'phase') !== 'Running'
}

function ordinalOf(pod: unknown): number {
  return Number((textAt(pod, 'metadata', 'name') ?? '').split('-').at(-1))
}
