import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../render/manifest.ts'
import { WAVE } from '../render/waves.ts'
import { wavesOf } from './headstart.ts'

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

  it('is given to nothing that is there already, and to nobody where there is nothing to wait for', () => {
    expect(started([page], false)).toEqual([])
    expect(wavesOf([page], () => true).flatMap((wave) => wave.started)).toEqual([])
  })
})
