import { describe, expect, it } from '@jest/globals'
import { answer, fakeCluster } from '../../tests/fakes/cluster.ts'
import { fakeClock, fakeWorld } from '../../tests/fakes/world.ts'
import { emptyPicture, type Picture } from '../cluster/watch.ts'
import { newSightings } from './readiness/sightings.ts'
import { replaceStuckPods } from './stuckpods.ts'

const object = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'db' } }
const { signal } = new AbortController()

type Pod = {
  readonly ordinal: number
  readonly revision: string
  readonly is: 'broken' | 'starting' | 'ready'
}

function podOf({ ordinal, revision, is }: Pod): unknown {
  const state = is === 'broken' ? { waiting: { reason: 'CrashLoopBackOff' } } : { running: {} }
  const name = `db-${ordinal}`
  return {
    metadata: {
      ...{ name, uid: `uid-${ordinal}`, namespace: 'todo', ownerReferences: [{ uid: 'db' }] },
      labels: { 'controller-revision-hash': revision },
    },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: is === 'ready' ? 'True' : 'False' }],
      containerStatuses: [{ name: 'main', restartCount: is === 'broken' ? 1 : 0, state }],
    },
  }
}

/** Which pods are deleted, looking every so many seconds. */
async function deletedOf(pods: readonly Pod[], looks: number, seconds: number) {
  const cluster = fakeCluster()
  const world = fakeWorld()
  const clock = fakeClock()
  const sightings = newSightings(clock)
  cluster.intercept = ({ method }) => (method === 'DELETE' ? answer(200, {}) : undefined)
  const gone: string[] = []
  const call: typeof cluster.call = async (request) => {
    if (request.method === 'DELETE') gone.push(request.path.split('/').at(-1) ?? '')
    return await cluster.call(request)
  }
  for (let look = 0; look < looks; look += 1) {
    sightings.look()
    const picture: Picture = {
      ...emptyPicture,
      StatefulSet: [
        {
          metadata: { name: 'db', uid: 'db', generation: 3 },
          status: { observedGeneration: 3, updateRevision: 'good' },
        },
      ],
      Pod: pods.filter(({ ordinal }) => !gone.includes(`db-${ordinal}`)).map(podOf),
    }
    await replaceStuckPods(
      [object],
      { picture, sightings },
      { cluster: { ...cluster, call }, world },
    )
    await clock.sleep(seconds * 1000, signal)
  }
  return gone
}

describe('the pods of a StatefulSet that goes back', () => {
  it('are deleted where they are broken and of the bad revision, the highest first', async () => {
    const pods: readonly Pod[] = [
      { ordinal: 0, revision: 'good', is: 'ready' },
      { ordinal: 1, revision: 'bad', is: 'broken' },
      { ordinal: 2, revision: 'bad', is: 'broken' },
    ]
    expect(await deletedOf(pods, 8, 3)).toEqual(['db-2', 'db-1'])
  })

  it.each<{ name: string; pod: Pod }>([
    { name: 'they are ready', pod: { ordinal: 0, revision: 'bad', is: 'ready' } },
    { name: 'they may still become ready', pod: { ordinal: 0, revision: 'bad', is: 'starting' } },
    { name: 'they are of the good revision', pod: { ordinal: 0, revision: 'good', is: 'broken' } },
  ])('are left where $name', async ({ pod }) => {
    expect(await deletedOf([pod], 4, 6)).toEqual([])
  })

  it('are left for a moment: their controller may be about to act', async () => {
    expect(await deletedOf([{ ordinal: 0, revision: 'bad', is: 'broken' }], 2, 2)).toEqual([])
  })
})
