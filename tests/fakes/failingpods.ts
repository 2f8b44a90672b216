import { type Cause, causeOf } from '../../src/rollout/causes/causes.ts'
import { emptyPicture, type Picture } from '../../src/cluster/watch.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { newSightings, type Sightings } from '../../src/rollout/readiness/sightings.ts'
import { noWitness, type Witness } from '../../src/rollout/readiness/witness.ts'
import { fakeClock } from './world.ts'

const REVISION = 'deployment.kubernetes.io/revision'
const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } }
const NEW = { uid: 'new' }

const set = (uid: string, revision: string) => ({
  metadata: { uid, annotations: { [REVISION]: revision }, ownerReferences: [{ uid: 'web' }] },
})
const live = (conditions: readonly unknown[] = []) => ({
  metadata: { name: 'web', uid: 'web', generation: 2, annotations: { [REVISION]: '2' } },
  status: { observedGeneration: 2, conditions },
})

export type Pod = {
  readonly name?: string
  readonly container?: unknown
  readonly init?: unknown
  readonly status?: object
  readonly spec?: object
  readonly owner?: { readonly uid: string; readonly kind?: string }
  readonly deletionTimestamp?: string
}

export function podOf(given: Pod): unknown {
  const { name = 'web-1', container, init, status, spec, owner = NEW, deletionTimestamp } = given
  return {
    metadata: {
      ...{ name, uid: name, namespace: 'todo', ownerReferences: [owner] },
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    spec,
    status: {
      phase: 'Pending',
      initContainerStatuses: init === undefined ? [] : [init],
      containerStatuses: container === undefined ? [] : [container],
      ...status,
    },
  }
}

export type Moment = {
  readonly pods?: readonly Pod[]
  readonly events?: readonly unknown[]
  readonly conditions?: readonly unknown[]
}
export type Circumstances = {
  /** Between one look and the next. */
  readonly seconds?: number
  readonly isAlone?: boolean
  readonly witness?: Witness
  readonly object?: KubeObject
  /** Of looks before. */
  readonly sightings?: Sightings
}

export const DURING_A_LOOK = new AbortController().signal

/** Looks at each moment, so many seconds apart, and tells what the last look said. */
export async function causeAfter(
  moments: readonly Moment[],
  how: Circumstances = {},
): Promise<Cause | undefined> {
  const { seconds = 0, isAlone = false, witness = noWitness } = how
  const clock = fakeClock()
  const sightings = how.sightings ?? newSightings(clock)
  let cause: Cause | undefined
  for (const { pods = [], events = [], conditions = [] } of moments) {
    const picture: Picture = {
      ...emptyPicture,
      Deployment: [live(conditions)],
      ReplicaSet: [set('old', '1'), set('new', '2')],
      Pod: pods.map(podOf),
      Event: events,
    }
    sightings.look()
    cause = causeOf(how.object ?? object, { picture, sightings, witness, isAlone })
    await clock.sleep(seconds * 1000, DURING_A_LOOK)
  }
  return cause
}

/** Seen at two looks, long after each other: no clock is in the way. */
export function lastingCause(moment: Moment, how: Circumstances = {}): Promise<Cause | undefined> {
  return causeAfter([moment, moment], { seconds: 600, ...how })
}

export const waiting = (reason: string, message = ''): object => ({
  ...{ name: 'main', image: 'ghcr.io/todo/web', ready: false, restartCount: 0 },
  state: { waiting: { reason, message } },
})
export const ended = (restartCount: number, reason = 'Error', exitCode = 1): object => ({
  ...{ name: 'main', ready: false, restartCount },
  state: { waiting: { reason: 'CrashLoopBackOff' } },
  lastState: { terminated: { reason, exitCode } },
})
export const running = (restartCount = 0, ready = true): object => ({
  ...{ name: 'main', ready, restartCount, state: { running: {} } },
})
export const event = (reason: string, message: string, more: object = {}): object => ({
  ...{ reason, message, count: 3, type: 'Warning', ...more },
  involvedObject: { kind: 'Pod', name: 'web-1', uid: 'web-1', ...more },
})
export const unscheduled = (message: string): object => ({
  conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
})
export const scheduled = { conditions: [{ type: 'PodScheduled', status: 'True' }] }
