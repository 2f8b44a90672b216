import { describe, expect, it } from '@jest/globals'
import { answer, fakeCluster } from '../../tests/fakes/cluster.ts'
import { hurry } from '../../tests/fakes/time.ts'
import { type Cluster, WatchRefused } from './cluster.ts'
import { watchNamespace } from './watch.ts'

const pod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'todo' },
})
const place = { namespace: 'todo' }
const pods = '/api/v1/namespaces/todo/pods'
const { signal } = new AbortController()

describe('the watch of a namespace', () => {
  it('knows what was there before it and what came, changed and went since', async () => {
    const cluster = fakeCluster({ [`${pods}/a`]: pod('a'), [`${pods}/b`]: pod('b') })
    const watch = await watchNamespace(place, cluster, signal)
    const changed = watch.changed(60_000)
    await cluster.call({ method: 'POST', path: pods, body: pod('c') })
    await changed
    await cluster.call({ method: 'DELETE', path: `${pods}/a` })
    const phase = { ...pod('b'), status: { phase: 'Running' } }
    await cluster.call({ method: 'PATCH', path: `${pods}/b`, body: phase })
    watch.close()
    expect(watch.picture().Pod).toEqual([
      expect.objectContaining({ status: { phase: 'Running' } }),
      expect.objectContaining({ metadata: expect.objectContaining({ name: 'c' }) }),
    ])
  })

  it.each([
    {
      name: 'its version is too old',
      line: { type: 'ERROR', object: { kind: 'Status', code: 410, metadata: {} } },
    },
    {
      name: 'the server answers with a refusal',
      line: { kind: 'Status', status: 'Failure', code: 403, metadata: {} },
    },
  ])('lists again, after a pause, where $name', async ({ line }) => {
    const fake = fakeCluster({ [`${pods}/a`]: pod('a') })
    let opened = 0
    const cluster: Cluster = {
      ...fake,
      stream: async (path, onLine, stop) => {
        if (!path.startsWith(pods)) {
          await fake.stream(path, onLine, stop)
          return
        }
        opened += 1
        if (opened > 20) throw new Error('the server is asked without a pause')
        fake.objects.set(`${pods}/b`, { ...pod('b'), metadata: { name: 'b', uid: 'b' } })
        onLine(JSON.stringify(line))
      },
    }
    const found = await hurry(async () => {
      const watch = await watchNamespace(place, cluster, signal)
      for (let look = 0; look < 5 && watch.picture().Pod.length < 2; look += 1)
        await watch.changed(1_000)
      watch.close()
      return watch.picture().Pod
    })
    expect(found).toHaveLength(2)
    expect(opened).toBeLessThan(20)
  })

  it('polls where it may not watch, and does not ask for a watch again', async () => {
    const fake = fakeCluster()
    let asked = 0
    const cluster: Cluster = {
      ...fake,
      stream: async (path, onLine, stop) => {
        if (!path.startsWith(pods)) {
          await fake.stream(path, onLine, stop)
          return
        }
        asked += 1
        throw new WatchRefused(403)
      },
    }
    const found = await hurry(async () => {
      const watch = await watchNamespace(place, cluster, signal)
      fake.objects.set(`${pods}/late`, { ...pod('late'), metadata: { name: 'late', uid: 'late' } })
      for (let look = 0; look < 9 && watch.picture().Pod.length < 1; look += 1)
        await watch.changed(1_000)
      watch.close()
      return watch.picture().Pod
    })
    expect(found).toHaveLength(1)
    expect(asked).toBe(1)
  })

  it('is of now where the server refuses watches and answers lists', async () => {
    const fake = fakeCluster({ [`${pods}/a`]: pod('a') })
    const stream = () => Promise.reject(new WatchRefused(500))
    const looks = await hurry(async () => {
      const watch = await watchNamespace(place, { ...fake, stream }, signal)
      const seen: boolean[] = []
      for (let look = 0; look < 5; look += 1) {
        await watch.changed(1_000)
        seen.push(watch.isCurrent())
      }
      watch.close()
      return seen
    })
    expect(looks).toEqual([true, true, true, true, true])
  })

  it('says that it is not of now while the server is away, and goes on when it is back', async () => {
    const fake = fakeCluster()
    let isAway = false
    let cut: () => void = () => undefined
    const cluster: Cluster = {
      ...fake,
      call: async (request) => {
        if (isAway) throw new Error('away')
        return await fake.call(request)
      },
      stream: (path, onLine, stop) =>
        new Promise((resolve, reject) => {
          cut = () => {
            reject(new Error('cut'))
          }
          if (!isAway) void fake.stream(path, onLine, stop).then(resolve, reject)
          else cut()
        }),
    }
    await hurry(async () => {
      const watch = await watchNamespace(place, cluster, signal)
      expect(watch.isCurrent()).toBe(true)
      isAway = true
      cut()
      for (let look = 0; look < 9 && watch.isCurrent(); look += 1) await watch.changed(1_000)
      expect(watch.isCurrent()).toBe(false)
      isAway = false
      for (let look = 0; look < 30 && !watch.isCurrent(); look += 1) {
        watch.picture()
        await watch.changed(1_000)
      }
      expect(watch.isCurrent()).toBe(true)
      watch.close()
    })
  })

  it('is refused to a login that may not look, in words', async () => {
    const cluster = fakeCluster()
    cluster.intercept = ({ path }) =>
      path === pods ? answer(403, { message: 'pods is forbidden' }) : undefined
    await expect(watchNamespace(place, cluster, signal)).rejects.toThrow(
      "This login can't see pods: pods is forbidden",
    )
  })
})
