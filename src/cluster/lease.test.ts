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
  how: {
    readonly clock: Clock
    readonly say?: (line: string) => void
    readonly whenHeld?: 'wait' | 'refuse'
    readonly patienceSeconds?: number
  },
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
    expect(clock.now().getTime() - started).toBeGreaterThan(15_000)
    await lease.release()
  })

  /** Ann lives: her lease changes with each moment that passes. `skew` is how far her clock is from ours. */
  function renewing(clock: Clock, cluster: FakeCluster, skew = 0): Clock {
    return {
      now: clock.now,
      sleep: async (milliseconds, signal) => {
        await clock.sleep(milliseconds, signal)
        const live = cluster.objects.get(path)
        if (live === undefined) return
        const renewTime = new Date(clock.now().getTime() + skew).toISOString()
        cluster.objects.set(path, { ...live, spec: { holderIdentity: 'ann', renewTime } })
      },
    }
  }

  it.each([
    { name: 'of a run that lives', skew: 0 },
    { name: 'of a run whose clock is an hour late', skew: -3_600_000 },
    { name: 'of a run whose clock is an hour early', skew: 3_600_000 },
  ])('$name is respected to the end, and its holder named', async ({ skew }) => {
    const clock = fakeClock()
    const cluster = await leftBehind(clock)
    await expect(hold('bob', cluster, { clock: renewing(clock, cluster, skew) })).rejects.toThrow(
      'ann is deploying to todo; wait for it and run again',
    )
  })

  it('of a dead run whose clock was an hour early is taken as soon as of any other', async () => {
    const clock = fakeClock()
    const cluster = await leftBehind({
      ...clock,
      now: () => new Date(clock.now().getTime() + 3_600_000),
    })
    const started = clock.now().getTime()
    const lease = await hold('bob', cluster, { clock })
    expect(clock.now().getTime() - started).toBeLessThan(20_000)
    await lease.release()
  })

  it('is not taken from a run that nobody could look at for a while, nor could renew', async () => {
    const clock = fakeClock()
    const cluster = await leftBehind(clock)
    const started = clock.now().getTime()
    let looks = 0
    const away: Clock = {
      now: clock.now,
      sleep: async (milliseconds, stop) => {
        looks += 1
        await clock.sleep(looks === 3 ? 60_000 : milliseconds, stop)
      },
    }
    const lease = await hold('bob', cluster, { clock: away, patienceSeconds: 200 })
    expect(clock.now().getTime() - started).toBeGreaterThan(75_000)
    await lease.release()
  })

  it('is refused at once where that is wanted, as soon as its holder is seen to live', async () => {
    const clock = fakeClock()
    const cluster = await leftBehind(clock)
    const started = clock.now().getTime()
    await expect(
      hold('bob', cluster, { clock: renewing(clock, cluster), whenHeld: 'refuse' }),
    ).rejects.toThrow('ann is deploying to todo')
    expect(clock.now().getTime() - started).toBeLessThan(10_000)
  })

  it('goes to one of two that reach for it at the same moment', async () => {
    const clock = fakeClock()
    const cluster = await leftBehind(clock)
    const moving = renewing(clock, cluster)
    cluster.intercept = ({ method }) =>
      // Ann writes between Bob's look and his own writing, and goes on renewing.
      method === 'PUT' ? answer(409, { message: 'the object has been modified' }) : undefined
    const still: Clock = { now: moving.now, sleep: moving.sleep }
    await expect(hold('bob', cluster, { clock: still })).rejects.toThrow('ann is deploying to todo')
  })

  it('that is lost to another stops its holder before the next write', async () => {
    const clock = fakeClock()
    const cluster = fakeCluster()
    const lease = await hold('ann', cluster, { clock })
    await lease.confirm()
    const live = cluster.objects.get(path)
    if (live !== undefined) cluster.objects.set(path, { ...live, spec: { holderIdentity: 'bob' } })
    await clock.sleep(20_000, new AbortController().signal)
    await expect(lease.confirm()).rejects.toThrow('bob has taken over todo')
    expect(lease.lost.aborted).toBe(true)
    await lease.release()
    expect(holderIn(cluster)).toBe('bob')
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
