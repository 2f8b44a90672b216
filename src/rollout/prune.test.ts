import { beforeEach, describe, expect, it } from '@jest/globals'
import { configMap, namespaceObject } from '../../tests/fakes/application.ts'
import { answer, type FakeCluster, fakeCluster } from '../../tests/fakes/cluster.ts'
import { fakeWorld } from '../../tests/fakes/world.ts'
import type { EnvironmentState, InventoryEntry } from '../cluster/state.ts'
import type { KubeObject } from '../render/manifest.ts'
import { planPrune, pruneObjects } from './prune.ts'

const folder = '/api/v1/namespaces/todo/configmaps'
const ours = [{ manager: 'todo-deploy', operation: 'Apply', apiVersion: 'v1', fieldsV1: {} }]
const named = (name: string, metadata: object = {}): KubeObject => {
  const made = configMap(name)
  return { ...made, metadata: { ...made.metadata, managedFields: ours, ...metadata } }
}

let cluster: FakeCluster
const entries: InventoryEntry[] = []
function has(object: KubeObject, uid?: string): void {
  const path = `${folder}/${object.metadata.name}`
  cluster.objects.set(path, {
    ...object,
    metadata: { uid: `uid-${object.metadata.name}`, resourceVersion: '1', ...object.metadata },
  })
  entries.push({
    object: configMap(object.metadata.name),
    uid: uid ?? `uid-${object.metadata.name}`,
  })
}
const stateOf = (more: object = {}): EnvironmentState => ({
  ...{ version: 1, application: 'todo', environment: 'dev' },
  good: {
    ...{ release: 'r1', planHash: '', at: '', overlay: 'overlays/dev', inventory: [...entries] },
    ...more,
  },
})
const plan = (state: EnvironmentState | undefined, more: object = {}) =>
  planPrune(
    { objects: [namespaceObject], state, isWanted: true, origin: 'overlays/dev', ...more },
    cluster,
  )
const namesOf = (list: readonly { readonly entry: InventoryEntry }[]) =>
  list.map(({ entry }) => entry.object.metadata.name)

beforeEach(() => {
  cluster = fakeCluster({ '/api/v1/namespaces/todo': namespaceObject })
  entries.length = 0
})

describe('what is removed after a deploy', () => {
  it('is what the last release had, and is still the same and ours', async () => {
    has(named('gone'))
    has(named('another-now'), 'uid-of-old')
    has(named('of-somebody', { managedFields: [] }))
    has(named('kept', { annotations: { 'helm.sh/resource-policy': 'keep' } }))
    has(named('owned', { ownerReferences: [{ kind: 'Gadget', name: 'g' }] }))
    entries.push({ object: configMap('not-there'), uid: 'x' })
    const { remove, notes, problems } = await plan(stateOf())
    expect(namesOf(remove)).toEqual(['gone'])
    expect(problems).toEqual([])
    expect(notes).toEqual([
      'ConfigMap todo/of-somebody is left: somebody else has taken it over',
      'ConfigMap todo/kept is left: its annotation helm.sh/resource-policy says so',
      'ConfigMap todo/owned is left: it belongs to Gadget',
    ])
  })

  it('is nothing on a first deploy', async () => {
    has(named('gone'))
    expect(await plan(undefined)).toEqual({ remove: [], left: [], notes: [], problems: [] })
  })

  it('is nothing where the objects come from another place, and nothing is forgotten', async () => {
    has(named('gone'))
    const { remove, left, notes } = await plan(stateOf(), { origin: 'overlays/renamed' })
    expect(remove).toEqual([])
    expect(left.map(({ object }) => object.metadata.name)).toEqual(['gone'])
    expect(notes).toEqual([
      'ConfigMap todo/gone is left: it comes from overlays/dev; delete it by hand if nobody needs it',
    ])
    // Nor by any deploy after that.
    const later = stateOf({ inventory: [], left, overlay: 'overlays/renamed' })
    expect((await plan(later, { origin: 'overlays/renamed' })).remove).toEqual([])
    expect(namesOf((await plan(later)).remove)).toEqual(['gone'])
  })

  it('is what an earlier deploy could not remove, too', async () => {
    has(named('gone'))
    const left = [...entries]
    entries.length = 0
    expect(namesOf((await plan(stateOf({ left }))).remove)).toEqual(['gone'])
  })

  it('is refused where it is suspiciously much', async () => {
    for (let index = 0; index < 6; index += 1) has(named(`gone-${index}`))
    const { problems } = await plan(stateOf())
    expect(problems.join()).toContain(
      'lacks 6 of the 6 objects that are deployed; nothing was changed',
    )
    expect((await plan(stateOf(), { isWanted: false })).problems).toEqual([])
  })
})

describe('a removal', () => {
  it('asks for exactly what was seen, and looks again where somebody wrote in between', async () => {
    has(named('gone'))
    const { remove } = await plan(stateOf())
    const bodies: unknown[] = []
    let refused = false
    cluster.intercept = (request) => {
      if (request.method !== 'DELETE') return undefined
      bodies.push(request.body)
      if (refused) return undefined
      refused = true
      return answer(409, 'changed')
    }
    expect(await pruneObjects(remove, cluster, fakeWorld())).toEqual([])
    expect(bodies).toMatchObject([
      { preconditions: { uid: 'uid-gone', resourceVersion: '1' }, propagationPolicy: 'Background' },
      { preconditions: { uid: 'uid-gone' } },
    ])
    expect(cluster.objects.has(`${folder}/gone`)).toBe(false)
  })

  it('that is denied is said, kept in mind and undoes nothing', async () => {
    has(named('gone'))
    const { remove } = await plan(stateOf())
    const world = fakeWorld()
    cluster.intercept = ({ method }) =>
      method === 'DELETE' ? answer(403, { message: 'no' }) : undefined
    const left = await pruneObjects(remove, cluster, world)
    expect(left.map(({ object }) => object.metadata.name)).toEqual(['gone'])
    expect(world.said).toEqual([
      'ConfigMap todo/gone could not be deleted: no; the next deploy tries again',
    ])
  })
})
