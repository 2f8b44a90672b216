import { describe, expect, it } from '@jest/globals'
import { answer, fakeCluster } from '../../tests/fakes/cluster.ts'
import { hurry } from '../../tests/fakes/time.ts'
import { UserError } from '../errors.ts'
import type { KubeObject } from '../render/manifest.ts'
import { applyObject } from './apply.ts'
import { deleteObject } from './delete.ts'
import { planApply } from './dryrun.ts'
import type { Request } from './cluster.ts'
import { discoverResources } from './resources.ts'

const namespace: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'todo' } }
const config = (name: string, data: unknown = {}): KubeObject => ({
  ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'todo' }, data },
})
const gadget = { ...config('g'), apiVersion: 'acme.example/v1', kind: 'Gadget' }
const there = '/api/v1/namespaces/todo'
const jobs = '/apis/batch/v1/namespaces/todo/jobs'
const job: KubeObject = {
  ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate', namespace: 'todo' } },
}
const failed = { ...job, status: { conditions: [{ type: 'Failed', status: 'True' }] } }

describe('a plan', () => {
  it('tells what is new, what changes and where, and what stays', async () => {
    const cluster = fakeCluster({
      [there]: namespace,
      [`${there}/configmaps/same`]: config('same', { a: '1' }),
      [`${there}/configmaps/other`]: config('other', { a: '1', b: '2' }),
    })
    const objects = [
      config('new'),
      config('same', { a: '1' }),
      config('other', { a: 'secret', b: '2' }),
    ]
    const { changes } = await planApply(objects, cluster)
    expect(changes.map(({ action, fields }) => [action, ...fields])).toEqual([
      ['create'],
      ['unchanged'],
      ['update', '.data.a'],
    ])
    expect(cluster.writes).toEqual([])
  })

  it('leaves untried what belongs into a namespace of the same set', async () => {
    const cluster = fakeCluster()
    const tried: string[] = []
    cluster.intercept = ({ method, path }) => {
      if (method === 'PATCH') tried.push(path.split('?')[0] ?? '')
      return undefined
    }
    const { changes } = await planApply([namespace, config('new')], cluster)
    expect(changes.map(({ action }) => action)).toEqual(['create', 'create'])
    expect(tried).toEqual([there])
  })

  it('is refused where its namespace is neither there nor in the set', async () => {
    await expect(planApply([config('new')], fakeCluster())).rejects.toThrow(
      'The namespace todo does not exist; create it or add it to the overlay',
    )
  })

  it('is refused for all of its problems at once, with nothing written', async () => {
    const cluster = fakeCluster({ [there]: namespace })
    const refusals: Readonly<Record<string, number>> = { invalid: 422, foreign: 409, closed: 403 }
    cluster.intercept = ({ method, path }: Request) => {
      const status = refusals[/configmaps\/(\w+)\?/.exec(path)?.[1] ?? '']
      if (method !== 'PATCH' || status === undefined) return undefined
      return answer(status, { message: `told ${status}` })
    }
    const objects = [config('invalid'), config('foreign'), gadget, config('closed'), config('good')]
    const refusal = await planApply(objects, cluster).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(UserError)
    const { details } = refusal as UserError
    expect([...details].sort()).toEqual([
      'ConfigMap todo/closed: told 403',
      'ConfigMap todo/foreign: told 409',
      'ConfigMap todo/invalid: told 422',
      'Gadget todo/g: the cluster has no acme.example/v1 Gadget',
    ])
    expect(cluster.writes).toEqual([])
  })

  it('names the first right that is missing, who can give it, and below all of them', async () => {
    const cluster = fakeCluster({
      [there]: namespace,
      [`${there}/configmaps/same`]: config('same'),
    })
    cluster.intercept = (request) => forbidden(request)
    const refusal = await planApply([config('new'), config('same'), gadget], cluster).catch(
      (error: unknown) => error,
    )
    expect(refusal).toMatchObject({
      message:
        'This login may not create configmaps in todo, and 1 more; an administrator gives these rights with "kubectl apply -k k8s/access/<environment>", see docs/access.md',
      details: [
        'nothing was changed',
        'missing: create configmaps in todo',
        'missing: patch configmaps in todo',
        'Gadget todo/g: the cluster has no acme.example/v1 Gadget',
      ],
    })
  })

  it.each([
    { name: 'one that ran stays', live: job, action: 'unchanged' },
    { name: 'one that failed is made anew', live: failed, action: 'update' },
  ])('does not try a Job that is there: $name', async ({ live, action }) => {
    const cluster = fakeCluster({ [there]: namespace, [`${jobs}/migrate`]: live })
    const { changes } = await planApply([job], cluster)
    expect(changes[0]?.action).toBe(action)
  })
})

describe('a Namespace that this login may not write', () => {
  const labelled = (labels: Readonly<Record<string, string>>): KubeObject => ({
    ...namespace,
    metadata: { name: 'todo', labels },
  })
  const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  const made = () => {
    const cluster = fakeCluster({ [there]: labelled({ ...restricted, team: 'a' }) })
    cluster.intercept = (request) => forbidden(request)
    return cluster
  }

  it('is settled where its administrator has made it as it is wanted', async () => {
    const cluster = made()
    const { changes } = await planApply([labelled(restricted)], cluster)
    expect(changes.map(({ action }) => action)).toEqual(['unchanged'])
    const resources = discoverResources(cluster)
    await expect(applyObject(labelled(restricted), resources, cluster)).resolves.toMatchObject({
      metadata: { labels: { team: 'a' } },
    })
  })

  it('is refused where it would have to change', async () => {
    const cluster = made()
    const wanted = labelled({ ...restricted, team: 'b' })
    const mayNot = 'may not patch namespaces in todo'
    await expect(planApply([wanted], cluster)).rejects.toThrow(mayNot)
    await expect(applyObject(wanted, discoverResources(cluster), cluster)).rejects.toThrow(mayNot)
  })
})

/** Refuses every write as the API server does to a login without rights. */
function forbidden({ method, path }: Request): ReturnType<typeof answer> | undefined {
  if (method !== 'PATCH') return undefined
  const verb = path.includes('configmaps/new') ? 'create' : 'patch'
  const resource = path.includes('/configmaps/') ? 'configmaps' : 'namespaces'
  const message = `${resource} is forbidden: User "ci" cannot ${verb} resource "${resource}" in API group "" in the namespace "todo"`
  return answer(403, { kind: 'Status', message })
}

describe('an object', () => {
  it('that is a failed Job is removed before it is made again', async () => {
    const cluster = fakeCluster({ [there]: namespace, [`${jobs}/migrate`]: failed })
    await hurry(() => applyObject(job, discoverResources(cluster), cluster))
    expect(cluster.writes).toEqual([`DELETE ${jobs}/migrate`, `PATCH ${jobs}/migrate`])
  })

  it('is deleted only while it is the one that was made', async () => {
    const path = `${there}/configmaps/a`
    const cluster = fakeCluster({ [path]: config('a') })
    expect(await deleteObject(config('a'), 'uid-of-another', cluster)).toBe(false)
    expect(cluster.objects.has(path)).toBe(true)
    const uid = String(cluster.objects.get(path)?.metadata['uid'])
    expect(await deleteObject(config('a'), uid, cluster)).toBe(true)
    expect(await deleteObject(config('a'), uid, cluster)).toBe(false)
  })
})
