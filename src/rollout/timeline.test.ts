import { describe, expect, it } from '@jest/globals'
import { answer, fakeCluster } from '../../tests/fakes/cluster.ts'
import { fakeClock } from '../../tests/fakes/world.ts'
import { emptyPicture } from '../cluster/watch.ts'
import { recordTimeline } from './timeline.ts'

const time = (second: number) => `2026-11-21T12:00:${String(second).padStart(2, '0')}Z`

function pod(name: string, ready: number | undefined): unknown {
  const condition = (type: string, second: number) => ({
    ...{ type, status: 'True', lastTransitionTime: time(second) },
  })
  return {
    metadata: {
      name,
      uid: `uid-of-${name}`,
      creationTimestamp: time(0),
      ownerReferences: [{ kind: 'ReplicaSet', name: 'web-1' }],
    },
    status: {
      conditions: [
        condition('PodScheduled', 1),
        ...(ready === undefined ? [] : [condition('Ready', ready)]),
      ],
      initContainerStatuses: [
        { state: { terminated: { startedAt: time(3), finishedAt: time(4) } } },
      ],
      containerStatuses: [{ state: { running: { startedAt: time(5) } } }],
    },
  }
}

const ReplicaSet = [
  { metadata: { name: 'web-1', ownerReferences: [{ kind: 'Deployment', name: 'web' }] } },
]
const picture = (...pods: readonly unknown[]) => ({ ...emptyPicture, ReplicaSet, Pod: pods })

function eventsOf(name: string): unknown {
  const event = (reason: string, second: number) => ({
    ...{ reason, firstTimestamp: time(second), involvedObject: { name } },
  })
  return { items: [event('Pulled', 3), event('Pulling', 1)] }
}

describe('the timeline of a deploy', () => {
  it('has the new pods with all their times, and not those that were there', async () => {
    const cluster = fakeCluster()
    cluster.intercept = ({ path }) =>
      path.includes('/events') ? answer(200, eventsOf('web-1-b')) : undefined
    const recorder = recordTimeline(fakeClock())
    recorder.capture(picture(pod('web-1-a', 2)))
    recorder.capture(picture(pod('web-1-a', 2), pod('web-1-b', undefined)))
    recorder.capture(picture(pod('web-1-a', 2), pod('web-1-b', 7)))
    const { pods } = await recorder.finish('todo', cluster)
    expect(pods).toEqual([
      {
        pod: 'web-1-b',
        workload: 'web',
        isNew: true,
        created: time(0),
        scheduled: time(1),
        pull: { from: time(1), to: time(3) },
        init: { from: time(3), to: time(4) },
        started: time(5),
        ready: time(7),
        restarts: 0,
        leaving: null,
        gone: null,
      },
    ])
  })

  it('keeps pods that are gone again, and shifts', async () => {
    const recorder = recordTimeline(fakeClock())
    recorder.capture(picture())
    recorder.capture(picture(pod('web-1-b', undefined)))
    recorder.capture(picture())
    recorder.shift({ service: 'web', what: 'web-1', side: 'new' })
    const { pods, shifts } = await recorder.finish('todo', fakeCluster())
    expect(pods).toMatchObject([{ pod: 'web-1-b', ready: null, pull: null }])
    expect(shifts).toMatchObject([{ service: 'web', what: 'web-1' }])
  })

  it('has the pods of before that had to go, and remembers when each was ready', async () => {
    const clock = fakeClock()
    const recorder = recordTimeline(clock)
    const going = {
      ...(pod('web-1-a', undefined) as object),
      metadata: {
        name: 'web-1-a',
        uid: 'uid-of-web-1-a',
        creationTimestamp: time(0),
        deletionTimestamp: time(40),
        deletionGracePeriodSeconds: 30,
      },
    }
    recorder.capture(picture(pod('web-1-a', 2), pod('web-1-c', 2)))
    recorder.capture(picture(going, pod('web-1-c', 2)))
    await clock.sleep(15_000, new AbortController().signal)
    recorder.capture(picture(pod('web-1-c', 2)))
    const { pods } = await recorder.finish('todo', fakeCluster())
    expect(pods).toMatchObject([
      {
        ...{ pod: 'web-1-a', isNew: false, workload: 'web', ready: time(2) },
        ...{ leaving: '2026-11-21T12:00:10.000Z', gone: '2026-11-21T12:00:15.000Z' },
      },
    ])
  })

  it('tells its own times by the clock of the cluster, where the two differ', async () => {
    const recorder = recordTimeline(fakeClock())
    const early = pod('web-1-b', undefined) as { metadata: object }
    const metadata = { ...early.metadata, creationTimestamp: '2026-11-21T11:50:00Z' }
    recorder.capture(picture())
    recorder.capture(picture({ ...early, metadata }))
    recorder.shift({ service: 'web', what: 'web-1', side: 'new' })
    const { began, shifts } = await recorder.finish('todo', fakeCluster())
    expect([began, shifts[0]?.at]).toEqual(Array(2).fill('2026-11-21T11:50:00.000Z'))
  })

  it('has the waves of a rollout, and the one in which it ended', async () => {
    const recorder = recordTimeline(fakeClock())
    const leg = recorder.begin(false)
    await leg.wave('services', () => Promise.resolve())
    const failing = leg.wave('workloads', () => Promise.reject(new Error('no')))
    await expect(failing).rejects.toThrow('no')
    leg.end([], emptyPicture)
    const { legs } = await recorder.finish('todo', fakeCluster())
    expect(legs).toMatchObject([
      {
        isWayBack: false,
        waves: [
          { name: 'services', isDone: true },
          { name: 'workloads', isDone: false },
        ],
      },
    ])
  })

  it('does without pulls where the events can not be read', async () => {
    const cluster = fakeCluster()
    cluster.intercept = () => {
      throw new Error('no')
    }
    const recorder = recordTimeline(fakeClock())
    recorder.capture(picture())
    recorder.capture(picture(pod('web-1-b', 7)))
    expect((await recorder.finish('todo', cluster)).pods).toHaveLength(1)
  })
})
