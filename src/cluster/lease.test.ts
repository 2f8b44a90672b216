import { describe, expect, it } from '@jest/globals'
import { answer, type FakeCluster, fakeCluster } from '../../tests/fakes/cluster.ts'
import { fakeClock } from '../../tests/fakes/world.ts'
import { textAt } from '../json.ts'
import type { Clock } from '../world.ts'
import { type HeldLease, holdLease } from './lease.ts'

const path = '/apis/coordination.k8s.io/v1/namespaces/todo/leases/todo-deploy'

function hold(
  holder: string,
  cluster: FakeCluster,
  how: { readonly clock: Clock; readonly say?: (line: string) => void },
): Promise<HeldLease> {
  const lease = { namespace: 'todo', name: 'todo-deploy', holder }
  const { signal } = new AbortController()
  return holdLease(lease, cluster, { signal, say: () => undefined, ...how })
}

function holderIn(cluster: FakeCluster): string | undefined {
  return textAt(cluster.objects.get(path), 'spec', 'holderIdentity')
}

/** The lease of a run that was killed at `now`, and never let go of it. */
async function leftBehind(clock: Clock): Promise<FakeCluster> {
  const cluster = fakeCluster()
  const lease = await hold('killed', cluster, { clock })
  const left = cluster.objects.get(path)
  await lease.release()
  if (left !== undefined) cluster.objects.set(path, left)
  return cluster
}

describe('a lease', () => {
  it('is taken where nobody has it, and is gone when it is released', async () => {
    const cluster = fakeCluster()
    const lease = await hold('ann', cluster, { clock: fakeClock() })
    expect(holderIn(cluster)).toBe('ann')
    await lease.release()
    expect(cluster.objects.size).toBe(0)
  })

  it('is waited for, and taken as soon as it is released', async () => {
    const cluster = fakeCluster()
    const clock = fakeClock()
    const first = await hold('ann', cluster, { clock })
    const said: string[] = []
    const patient = {
      now: clock.now,
      sleep: async () => {
        await first.release()
      },
    }
    const second = await hold('bob', cluster, { clock: patient, say: (line) => said.push(line) })
    expect(said).toEqual(['Waiting for ann, who deploys here now'])
    expect(holderIn(cluster)).toBe('bob')
    await second.release()
  })

  it('of a run that was killed is forgotten when it was not renewed for long enough', async () => {
    const clock = fakeClock()
    const cluster = await leftBehind(clock)
    const started = clock.now().getTime()
    const lease = await hold('bob', cluster, { clock })
    expect(holderIn(cluster)).toBe('bob')
    expect(clock.now().getTime() - started).toBeGreaterThan(30_000)
    await lease.release()
  })

  it('of a run that lives is respected to the end, and its holder named', async () => {
    const clock = fakeClock()
    const cluster = await leftBehind(clock)
    const renewing: Clock = {
      now: clock.now,
      sleep: async (milliseconds, signal) => {
        await clock.sleep(milliseconds, signal)
        const live = cluster.objects.get(path)
        if (live === undefined) return
        const spec = { holderIdentity: 'ann', renewTime: clock.now().toISOString() }
        cluster.objects.set(path, { ...live, spec })
      },
    }
    await expect(hold('bob', cluster, { clock: renewing })).rejects.toThrow(
      'ann is deploying to todo; wait for it and run again',
    )
  })

  it('goes to one of two that reach for it at the same moment', async () => {
    const clock = fakeClock()
    const cluster = await leftBehind(clock)
    await clock.sleep(31_000, new AbortController().signal)
    cluster.intercept = ({ method }) => {
      if (method !== 'PUT') return undefined
      // Ann writes between Bob's look and his own writing.
      cluster.intercept = () => undefined
      const spec = { holderIdentity: 'ann', renewTime: new Date(9e12).toISOString() }
      const live = cluster.objects.get(path)
      if (live !== undefined) cluster.objects.set(path, { ...live, spec })
      return answer(409, { message: 'the object has been modified' })
    }
    await expect(hold('bob', cluster, { clock })).rejects.toThrow('ann is deploying to todo')
  })

  it('that another took meanwhile is left to them', async () => {
    const cluster = fakeCluster()
    const lease = await hold('ann', cluster, { clock: fakeClock() })
    const live = cluster.objects.get(path)
    if (live !== undefined) cluster.objects.set(path, { ...live, spec: { holderIdentity: 'bob' } })
    await lease.release()
    expect(holderIn(cluster)).toBe('bob')
  })
})
