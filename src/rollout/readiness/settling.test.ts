import { describe, expect, it } from '@jest/globals'
import { fakeClock } from '../../../tests/fakes/world.ts'
import { emptyPicture, type Picture } from '../../cluster/watch.ts'
import { type Course, unsettled } from './settling.ts'
import { newSightings } from './sightings.ts'

const REVISION = 'deployment.kubernetes.io/revision'
const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } }
const probe = { readinessProbe: { exec: {} } }
const { signal } = new AbortController()
const BEGAN = Date.parse('2026-11-21T12:00:00Z')

type Given = {
  readonly minReadySeconds?: number
  readonly container?: object
  readonly status?: object
  readonly ready?: boolean
  /** Seconds from the change at the node to the server's news of it. */
  readonly lag?: number
}

function pictureOf(given: Given): Picture {
  const { minReadySeconds, container = {}, status = {}, ready = true, lag = 0 } = given
  return {
    ...emptyPicture,
    Deployment: [
      {
        metadata: { name: 'web', uid: 'web', annotations: { [REVISION]: '1' } },
        spec: minReadySeconds === undefined ? {} : { minReadySeconds },
      },
    ],
    ReplicaSet: [
      {
        metadata: {
          uid: 'set',
          annotations: { [REVISION]: '1' },
          ownerReferences: [{ uid: 'web' }],
        },
      },
    ],
    Pod: [
      {
        metadata: {
          ...{ name: 'web-1', uid: 'pod', ownerReferences: [{ uid: 'set' }] },
          managedFields: [{ manager: 'kubelet', subresource: 'status', time: after(lag) }],
        },
        spec: { containers: [{ name: 'main', ...container }] },
        status: {
          conditions: [
            {
              ...{ type: 'Ready', status: ready ? 'True' : 'False' },
              lastTransitionTime: after(0),
            },
          ],
          containerStatuses: [{ name: 'main', restartCount: 0, state: { running: {} }, ...status }],
        },
      },
    ],
  }
}

/** What is said at the first look and after so many seconds. */
async function saidAfter(seconds: number, given: Given, before: readonly string[] = []) {
  const clock = fakeClock()
  const sightings = newSightings(clock)
  const course: Course = {
    ...{ objects: [object], before: new Set(before), sightings, settleMs: 5_000 },
  }
  const picture = pictureOf(given)
  sightings.look()
  unsettled(course, picture)
  await clock.sleep(seconds * 1000, signal)
  sightings.look()
  return unsettled(course, picture)
}

describe('a new pod', () => {
  it.each<Given & { name: string; seconds: number; is: boolean }>([
    { name: 'has just become ready', seconds: 3, container: probe, is: true },
    { name: 'has stayed ready', seconds: 6, container: probe, is: false },
    {
      name: 'has stayed ready, by a node that is slow',
      ...{ seconds: 8, lag: 4, is: true },
      container: probe,
    },
    {
      name: 'has stayed ready as long as a slow node needs',
      ...{ seconds: 10, lag: 4, is: false },
      container: probe,
    },
    {
      name: 'is on a node whose clock is far behind',
      ...{ seconds: 16, lag: 900, is: false },
      container: probe,
    },
    {
      name: 'is on a node whose clock is ahead',
      ...{ seconds: 6, lag: -900, is: false },
      container: probe,
    },
    { name: 'has no probe: ready is only started', seconds: 8, minReadySeconds: 1, is: true },
    { name: 'has no probe and has stayed for twice as long', seconds: 11, is: false },
    {
      name: 'has a probe, and the server counts its seconds',
      ...{ seconds: 0, minReadySeconds: 1, container: probe, is: false },
    },
    { name: 'is not ready any more, whatever counts say', seconds: 9, ready: false, is: true },
    {
      name: 'has crashed after 10 seconds and runs for 9',
      ...{ seconds: 9, minReadySeconds: 1, container: probe, is: true },
      status: crashedAfter(10),
    },
    {
      name: 'has crashed after 10 seconds and runs for 14',
      ...{ seconds: 14, minReadySeconds: 1, container: probe, is: false },
      status: crashedAfter(10),
    },
  ])('is waited for ($is) that $name', async ({ seconds, is, ...given }) => {
    expect((await saidAfter(seconds, given)).length > 0).toBe(is)
  })

  it('is none that was there before the rollout', async () => {
    expect(await saidAfter(0, { status: crashedAfter(10) }, ['pod'])).toEqual([])
  })
})

function after(seconds: number): string {
  return new Date(BEGAN + seconds * 1000).toISOString()
}

function crashedAfter(seconds: number): object {
  const terminated = { startedAt: after(0), finishedAt: after(seconds), exitCode: 1 }
  return { restartCount: 1, lastState: { terminated } }
}
