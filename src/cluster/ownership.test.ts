import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../render/manifest.ts'
import { settleConflicts } from './apply.ts'
import { conflictsOf, describeConflict, valueAt, withoutPaths } from './conflicts.ts'
import { differencesOf } from './diff.ts'
import { completed } from './completion.ts'
import { afterTakeOver, isAutoscaled, takenOf, takeOver } from './ownership.ts'

const owner = (who: string, fieldsV1: object, more: object = {}) => {
  const [manager = '', operation = ''] = who.split(' ')
  return { manager, operation, apiVersion: 'apps/v1', fieldsType: 'FieldsV1', fieldsV1, ...more }
}
const web = (spec: object, managedFields: readonly object[] = []): KubeObject => ({
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', spec },
  metadata: { name: 'web', resourceVersion: '7', managedFields },
})
const replicas = { 'f:spec': { 'f:replicas': {} } }

describe('fields of earlier tools', () => {
  const live = web({ replicas: 3, containers: [{ name: 'a', image: 'x' }, { name: 'b' }] }, [
    owner('kubectl-client-side-apply Update', {
      'f:spec': {
        'f:replicas': {},
        'f:containers': {
          'k:{"name":"a"}': { '.': {}, 'f:image': {} },
          'k:{"name":"b"}': { '.': {} },
        },
      },
    }),
    owner('somebody Update', {
      'f:spec': { 'f:containers': { 'k:{"name":"a"}': { 'f:name': {} } } },
    }),
  ])

  it('become ours in one entry, where the object is still as it was seen', () => {
    expect(takenOf(live)).toEqual(['kubectl-client-side-apply'])
    expect(takeOver(live, live)).toMatchObject([
      {
        path: '/metadata/managedFields',
        value: [{ manager: 'somebody' }, { manager: 'todo-deploy', operation: 'Apply' }],
      },
      { path: '/metadata/resourceVersion', value: '7' },
    ])
    expect(takeOver(web({}), web({}))).toBeUndefined()
  })

  it('go where nobody wants them, and stay where somebody else has them too', () => {
    expect(afterTakeOver({ spec: live['spec'] }, web({ containers: [] }), live)).toEqual({
      spec: { containers: [{ name: 'a' }] },
    })
  })
})

describe('a number of replicas that a release does not name', () => {
  it.each([
    { name: 'ours alone is kept', owners: [owner('todo-deploy Apply', replicas)], kept: 3 },
    {
      name: 'that of an earlier tool is kept',
      owners: [owner('helm Update', replicas)],
      kept: 3,
    },
    {
      name: 'that of an autoscaler is its own',
      owners: [owner('kube-controller-manager Update', replicas, { subresource: 'scale' })],
      kept: undefined,
    },
    { name: 'nobody knows whose', owners: [], kept: undefined },
  ])('$name', ({ owners, kept }) => {
    const live = web({ replicas: 3 }, owners)
    expect(completed(web({}), live)['spec']).toEqual(kept === undefined ? {} : { replicas: kept })
    expect(completed(web({ replicas: 1 }), live)['spec']).toEqual({ replicas: 1 })
  })
})

describe('a service account that a release does not name any more', () => {
  const fields = { 'f:spec': { 'f:template': { 'f:spec': { 'f:serviceAccountName': {} } } } }
  const pod = (spec: object) => ({ template: { spec } })
  it('is the default one, said by name, unless somebody else has chosen it', () => {
    const live = (who: string) => web(pod({ serviceAccountName: 'old' }), [owner(who, fields)])
    expect(completed(web(pod({ a: 1 })), live('todo-deploy Apply'))['spec']).toEqual(
      pod({ a: 1, serviceAccountName: 'default' }),
    )
    expect(completed(web(pod({})), live('kubectl-set Update'))['spec']).toEqual(pod({}))
    expect(completed(web(pod({})), web(pod({})))['spec']).toEqual(pod({}))
  })
})

describe('a conflict', () => {
  const cause = (message: string, field: string) => ({
    reason: 'FieldManagerConflict',
    message,
    field,
  })
  const answer = {
    status: 409,
    text: '',
    body: {
      details: {
        causes: [
          cause('conflict with "kubectl" with subresource "scale" using apps/v1', '.spec.replicas'),
          cause(
            'conflict with "kubectl-edit" using v1 at 2026',
            '.spec.containers[name="a"].image',
          ),
        ],
      },
    },
  }
  const live = web({ replicas: 5, containers: [{ name: 'a', image: 'x' }] })

  it('is read with manager and field, and told with both values', () => {
    const conflicts = conflictsOf(answer)
    const ours = web({ replicas: 2, containers: [{ name: 'a', image: 'y' }] })
    expect(conflicts.map((one) => describeConflict(one, ours, live))).toEqual([
      '.spec.replicas is 5, set by kubectl (scale); the release has 2',
      '.spec.containers[name="a"].image is "x", set by kubectl-edit; the release has "y"',
    ])
    expect(conflicts.map(isAutoscaled)).toEqual([false, false])
    expect(conflictsOf({ ...answer, body: { message: 'it was modified' } })).toEqual([])
  })

  it('with the number of pods that we have set ourselves is overrun, one with that of people is not', () => {
    const by = (manager: string) => {
      const causes = [cause(`conflict with "${manager}" using apps/v1`, '.spec.replicas')]
      const refused = { ...answer, body: { details: { causes } } }
      return settleConflicts(refused, { object: web({ replicas: 2 }), live, force: false })
    }
    expect(by('todo-deploy-scale')).toMatchObject({ needsForce: true, refused: [] })
    expect(by('kubectl-edit')).toMatchObject({ needsForce: false, refused: [{}] })
  })

  it('about a Secret names no value', () => {
    const secret: KubeObject = { ...live, kind: 'Secret', data: { password: 'abc' } }
    const found = { manager: 'kubectl-edit', subresource: '', field: '.data.password' }
    expect(describeConflict(found, secret, { data: { password: 'xyz' } })).toBe(
      '.data.password was set by kubectl-edit to another value',
    )
  })

  it('has a path that may go through names with dots, items and elements of lists', () => {
    const object = {
      metadata: { labels: { 'a.b/c': '1' } },
      ports: [{ port: 80, protocol: 'TCP' }],
      set: ['x'],
    }
    expect(valueAt(object, '.metadata.labels.a.b/c')).toBe('1')
    expect(valueAt(object, '.ports[port=80,protocol="TCP"].port')).toBe(80)
    expect(valueAt(object, '.set[="x"]')).toBe('x')
    expect(valueAt(object, '.ports[0].port')).toBe(80)
    expect(valueAt(object, '.ports[port=81].port')).toBeUndefined()
  })

  it('can be left to others: the field is taken out of what is applied', () => {
    const left = withoutPaths(live, [
      '.spec.replicas',
      '.spec.containers[name="a"].image',
      '.spec.no',
    ])
    expect(left['spec']).toEqual({ containers: [{ name: 'a' }] })
  })
})

describe('differences', () => {
  it('name items of lists by their names, show maps by their entries, and leave out what is the server’s', () => {
    const before = {
      metadata: { uid: '1', generation: 1, labels: { a: '1' } },
      status: { ready: 1 },
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
      args: ['x', 'y'],
    }
    const after = {
      metadata: { uid: '2', generation: 2 },
      env: [{ name: 'B', value: '3' }],
      args: ['x', 'z'],
      strategy: { type: 'Recreate' },
    }
    expect(
      differencesOf(before, after).map(({ path, ...values }) => [path, ...Object.values(values)]),
    ).toEqual([
      ['.args[1]', 'y', 'z'],
      ['.env[A]', { name: 'A', value: '1' }, undefined],
      ['.env[B].value', '2', '3'],
      ['.metadata.labels.a', '1', undefined],
      ['.strategy.type', undefined, 'Recreate'],
    ])
    expect(differencesOf(before, { ...before, status: {} })).toEqual([])
  })
})
