import { describe, expect, it } from '@jest/globals'
import { fakeCluster } from '../../tests/fakes/cluster.ts'
import { emptyPicture, type Picture } from '../cluster/watch.ts'
import type { KubeObject } from '../render/manifest.ts'
import { WAVE } from '../render/waves.ts'
import { wavesOf, withdrawCrashed } from './headstart.ts'

type Pod = Readonly<Record<string, unknown>>

function workload(kind: string, name: string, pod: Pod = {}): KubeObject {
  const spec = { automountServiceAccountToken: false, containers: [{ name: 'main' }], ...pod }
  return {
    ...{ apiVersion: 'apps/v1', kind, metadata: { name, namespace: 'todo' } },
    spec: { template: { spec } },
  }
}

const database = workload('StatefulSet', 'database')
const migration = workload('Job', 'migration')
const page = workload('Deployment', 'page')

/** Names of what starts with a wave before its own. */
function started(objects: readonly KubeObject[], isFree = true): readonly string[] {
  const waves = wavesOf([database, migration, ...objects], () => isFree)
  return waves.flatMap((wave) => wave.started.map(({ metadata }) => metadata.name))
}

describe('a head start', () => {
  it('is given with the database to a new Deployment that can log in nowhere', () => {
    const waves = wavesOf([database, migration, page], () => true)
    const first = waves.find((wave) => wave.started.length > 0)
    expect(first?.objects).toEqual([database])
    expect(first?.started).toEqual([page])
    // It is waited for where it belongs.
    expect(waves.at(-1)?.objects).toEqual([page])
  })

  it.each([
    { name: 'by variable', pod: { containers: [{ env: [{ valueFrom: { secretKeyRef: {} } }] }] } },
    { name: 'by all variables', pod: { containers: [{ envFrom: [{ secretRef: {} }] }] } },
    { name: 'by volume', pod: { volumes: [{ secret: { secretName: 'a', optional: true } }] } },
    { name: 'by another volume', pod: { volumes: [{ csi: { driver: 'of-secrets' } }] } },
    { name: 'by what others left', pod: { volumes: [{ persistentVolumeClaim: {} }] } },
    { name: 'by its account', pod: { automountServiceAccountToken: undefined } },
  ])('is given to nobody who holds a login $name', ({ pod }) => {
    expect(started([workload('Deployment', 'server', pod)])).toEqual([])
  })

  it('is given to nobody who has a turn, or waits for another one', () => {
    const turn = (annotations: Readonly<Record<string, string>>) => ({
      ...page,
      metadata: { ...page.metadata, annotations },
    })
    expect(started([turn({ [WAVE]: 'routes' })])).toEqual([])
    expect(started([turn({ 'todo-deploy.dev/depends-on': 'Job/migration' })])).toEqual([])
  })

  it('is given to nobody of a chart with hooks, which has an order of its own', () => {
    const hook = { ...migration, metadata: { name: 'hook', annotations: { 'helm.sh/hook': 'a' } } }
    expect(started([page, hook])).toEqual([])
  })

  it('is given to nothing that is there already, and to nobody where there is nothing to wait for', () => {
    expect(started([page], false)).toEqual([])
    expect(wavesOf([page], () => true).flatMap((wave) => wave.started)).toEqual([])
  })
})

describe('who has crashed beside the database', () => {
  const path = '/apis/apps/v1/namespaces/todo/deployments/page'
  const live = { ...page, metadata: { ...page.metadata, uid: 'u1', annotations: revision('1') } }
  const picture = (status: object): Picture => ({
    ...emptyPicture,
    Deployment: [live],
    ReplicaSet: [{ metadata: { uid: 's1', annotations: revision('1'), ...ownedBy('u1') } }],
    Pod: [{ metadata: { uid: 'p1', ...ownedBy('s1') }, status: { containerStatuses: [status] } }],
  })
  const withdraw = async (status: object) => {
    const cluster = fakeCluster({ [path]: live })
    const found = picture(status)
    // The server gives its own identities.
    const uid = String(cluster.objects.get(path)?.metadata['uid'])
    const asThere = JSON.parse(
      JSON.stringify(found).replaceAll('"u1"', JSON.stringify(uid)),
    ) as Picture
    const gone = await withdrawCrashed([page], asThere, cluster)
    return { gone, isThere: cluster.objects.has(path) }
  }

  it.each([
    { name: 'again and again', status: { restartCount: 1 } },
    { name: 'a moment ago', status: { restartCount: 0, state: { terminated: { exitCode: 1 } } } },
  ])('$name is removed, to be begun again', async ({ status }) => {
    expect(await withdraw(status)).toEqual({ gone: [page], isThere: false })
  })

  it('stays where it runs', async () => {
    const status = { restartCount: 0, state: { running: {} } }
    expect(await withdraw(status)).toEqual({ gone: [], isThere: true })
  })
})

function revision(number: string): Readonly<Record<string, string>> {
  return { 'deployment.kubernetes.io/revision': number }
}

function ownedBy(uid: string): object {
  return { ownerReferences: [{ uid }] }
}
