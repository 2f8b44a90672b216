import { describe, expect, it } from '@jest/globals'
import { answer, fakeCluster } from '../../tests/fakes/cluster.ts'
import type { KubeObject } from '../render/manifest.ts'
import type { Request } from './cluster.ts'
import { readLiveStates } from './livestates.ts'
import { discoverResources } from './resources.ts'

const NAMESPACE = 'todo'
const names = ['a', 'b', 'c', 'd']

function configMap(name: string): KubeObject {
  const metadata = { name, namespace: NAMESPACE }
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { name } }
}

/** A cluster that has all but the last one, and what it was asked. */
function given(intercept: (request: Request) => ReturnType<typeof answer> | undefined) {
  const path = `/api/v1/namespaces/${NAMESPACE}/configmaps`
  const there = names.slice(0, -1).map((name) => [`${path}/${name}`, configMap(name)] as const)
  const cluster = fakeCluster(Object.fromEntries(there))
  const asked: string[] = []
  cluster.intercept = (request) => {
    asked.push(`${request.method} ${request.path.split('?')[0] ?? ''}`)
    return intercept(request)
  }
  return { cluster, asked: () => asked.filter((line) => line.startsWith(`GET ${path}`)) }
}

async function statesOf(cluster: ReturnType<typeof given>['cluster']) {
  const objects = names.map(configMap)
  const read = await readLiveStates(objects, { cluster, resources: discoverResources(cluster) })
  return await Promise.all(objects.map(read))
}

describe('the states of many objects of one kind', () => {
  it('come by one list, each as a GET would have it', async () => {
    const { cluster, asked } = given(() => undefined)
    const states = await statesOf(cluster)
    expect(states.map(({ status }) => status)).toEqual([200, 200, 200, 404])
    expect(states[0]?.body).toMatchObject({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      data: { name: 'a' },
    })
    expect(asked()).toHaveLength(1)
  })

  it.each([
    {
      name: 'the rules of the login do not allow a list',
      intercept: ({ path }: Request) =>
        path.includes('selfsubjectrules')
          ? answer(201, { status: { resourceRules: [] } })
          : undefined,
      requests: names.length,
    },
    {
      name: 'the list is refused all the same',
      intercept: ({ path }: Request) =>
        path.includes('configmaps?') ? answer(403, { message: 'no' }) : undefined,
      requests: names.length + 1,
    },
    {
      name: 'there are too many of others',
      intercept: ({ path }: Request) =>
        path.includes('configmaps?')
          ? answer(200, { metadata: { continue: 'more' }, items: [] })
          : undefined,
      requests: names.length + 1,
    },
  ])('come one by one where $name', async ({ intercept, requests }) => {
    const { cluster, asked } = given(intercept)
    const states = await statesOf(cluster)
    expect(states.map(({ status }) => status)).toEqual([200, 200, 200, 404])
    expect(asked()).toHaveLength(requests)
  })
})
