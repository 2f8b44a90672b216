import { rm } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  configMap,
  deployment,
  deployOf,
  deployWorld,
  NAMESPACE,
  namespaceObject,
  service,
} from '../../tests/fakes/application.ts'
import { type FakeCluster, fakeCluster } from '../../tests/fakes/cluster.ts'
import type { FakeWorld } from '../../tests/fakes/world.ts'
import { type EnvironmentState, readState } from '../cluster/state.ts'
import { FIRST_DEPLOY } from '../render/early.ts'
import { type KubeObject, nameOf } from '../render/manifest.ts'
import { deploy } from './deploy.ts'

const IMAGE = `ghcr.io/todo/migrate@sha256:${'b'.repeat(64)}`
const EARLY = { annotations: { [FIRST_DEPLOY]: 'early' } }
const application = [namespaceObject, configMap('settings'), service('web'), deployment('web')]

let cluster: FakeCluster
let world: FakeWorld
beforeEach(async () => {
  cluster = fakeCluster()
  world = await deployWorld()
})
afterEach(async () => {
  await rm(world.workspace, { recursive: true })
})

function stateNow(): Promise<EnvironmentState | undefined> {
  return readState(NAMESPACE, cluster)
}

function names(): string[] {
  const kinds = ['ConfigMap', 'Service', 'Deployment', 'Lease', 'PersistentVolumeClaim']
  return [...cluster.objects.values()].filter(({ kind }) => kinds.includes(kind)).map(nameOf)
}

describe('a deploy', () => {
  it('brings a release up in an empty cluster, remembers it and lets go of the lease', async () => {
    const result = await deploy(deployOf('r1', application), cluster, world)
    expect(result.outcome).toBe('deployed')
    const state = await stateNow()
    expect(state?.good?.release).toBe('r1')
    expect(state?.pending).toBeUndefined()
    expect(names()).toEqual(['ConfigMap todo/settings', 'Service todo/web', 'Deployment todo/web'])
  })

  it('begins early what waits by itself, at the first deploy only', async () => {
    const migration = (name: string): KubeObject => ({
      ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name, namespace: NAMESPACE } },
      spec: { template: { spec: { containers: [{ name: 'main', image: IMAGE }] } } },
    })
    const page = (name: string): KubeObject => {
      const labels = { labels: { app: name } }
      const spec = { template: { metadata: labels, spec: { containers: [] } } }
      return { ...deployment(name), metadata: { name, namespace: NAMESPACE, ...EARLY }, spec }
    }
    const written = () =>
      cluster.writes.flatMap(
        (write) => /(?:jobs|deployments|services)\/([a-z]+)/.exec(write)?.[1] ?? [],
      )
    const first = [...application, page('page'), service('page'), migration('first')]
    expect((await deploy(deployOf('r1', first), cluster, world)).outcome).toBe('deployed')
    // Each once: beside the Job, and the others after it.
    expect(written()).toEqual(['first', 'page', 'page', 'web', 'web'])
    cluster.writes.length = 0
    const better = [namespaceObject, deployment('web', 'better'), page('new'), service('new')]
    const second = deployOf('r2', [...better, migration('second')], { prune: false })
    expect((await deploy(second, cluster, world)).outcome).toBe('deployed')
    expect(written()).toEqual(['second', 'new', 'web', 'new'])
  })

  it('tries the same release while it is being rendered, and what differs after all by itself', async () => {
    await deploy(deployOf('r1', application), cluster, world)
    const trial = new Promise<void>((tried) => {
      cluster.intercept = ({ path }) => {
        if (path.includes('dryRun=All')) tried()
        return undefined
      }
    })
    const waiting: typeof world = {
      ...world,
      run: async (...call) => {
        await trial
        return await world.run(...call)
      },
    }
    expect((await deploy(deployOf('r1', application), cluster, waiting)).outcome).toBe('unchanged')
    const other = [...application.slice(0, -1), deployment('web', 'better')]
    const result = await deploy(deployOf('r1', other), cluster, waiting)
    expect(result.changes.map(({ action }) => action)).toEqual([
      ...other.slice(1).map(() => 'unchanged'),
      'update',
    ])
  })

  it('changes nothing where everything is as the release has it', async () => {
    await deploy(deployOf('r1', application), cluster, world)
    cluster.writes.length = 0
    const result = await deploy(deployOf('r1', application), cluster, world)
    expect(result.outcome).toBe('unchanged')
    expect(cluster.writes).toEqual([])
  })

  it('mends what somebody changed by hand', async () => {
    await deploy(deployOf('r1', application), cluster, world)
    const path = '/api/v1/namespaces/todo/configmaps/settings'
    cluster.objects.set(path, configMap('settings', { by: 'hand' }))
    const result = await deploy(deployOf('r1', application), cluster, world)
    expect(result.outcome).toBe('deployed')
    expect(cluster.objects.get(path)?.['data']).toEqual({})
  })

  it('makes again what somebody has deleted', async () => {
    await deploy(deployOf('r1', application), cluster, world)
    const path = '/api/v1/namespaces/todo/configmaps/settings'
    cluster.objects.delete(path)
    const result = await deploy(deployOf('r1', application), cluster, world)
    expect(result.outcome).toBe('deployed')
    expect(cluster.objects.has(path)).toBe(true)
  })

  it('does not run a Job again that has removed itself after its work', async () => {
    const metadata = { name: 'once', namespace: NAMESPACE }
    const spec = { ttlSecondsAfterFinished: 1, template: { spec: { containers: [] } } }
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata, spec }
    await deploy(deployOf('r1', [...application, job]), cluster, world)
    const path = [...cluster.objects.keys()].find((name) => name.includes('/jobs/once-')) ?? ''
    expect(cluster.objects.delete(path)).toBe(true)
    const again = await deploy(deployOf('r1', [...application, job]), cluster, world)
    expect(again.outcome).toBe('unchanged')
    await deploy(deployOf('r2', [...application, job, configMap('new')]), cluster, world)
    expect(cluster.objects.has(path)).toBe(false)
    expect((await stateNow())?.good?.inventory.map(({ object }) => object.kind)).toContain('Job')
  })

  it('that is only planned writes nothing', async () => {
    const result = await deploy(deployOf('r1', application, { mode: 'plan' }), cluster, world)
    expect(result.outcome).toBe('planned')
    expect(result.message).toBe('4 objects would change')
    expect(cluster.writes).toEqual([])
  })

  it('is refused before anything is written where an image has no digest', async () => {
    const tagged = JSON.parse(
      JSON.stringify(deployment('web')).replace(/@sha256:a+/, ':latest'),
    ) as ReturnType<typeof deployment>
    const options = deployOf('r1', [namespaceObject, tagged])
    await expect(deploy(options, cluster, world)).rejects.toThrow(
      'Deployment todo/web runs "ghcr.io/todo/web:latest", which has no digest',
    )
    expect(cluster.writes).toEqual([])
  })
})

describe('a deploy of a release that lacks something', () => {
  it('removes it', async () => {
    await deploy(deployOf('r1', [...application, configMap('old')]), cluster, world)
    await deploy(deployOf('r2', application), cluster, world)
    expect(names()).not.toContain('ConfigMap todo/old')
  })

  it('leaves it where nothing may be removed', async () => {
    await deploy(deployOf('r1', [...application, configMap('old')]), cluster, world)
    await deploy(deployOf('r2', application, { prune: false }), cluster, world)
    expect(names()).toContain('ConfigMap todo/old')
  })

  it('leaves what holds data, and says so', async () => {
    await deploy(deployOf('r1', application), cluster, world)
    const withoutNamespace = application.filter(({ kind }) => kind !== 'Namespace')
    await deploy(deployOf('r2', withoutNamespace), cluster, world)
    expect(cluster.objects.has('/api/v1/namespaces/todo')).toBe(true)
    expect(world.said).toContain(
      'Namespace todo is left: delete it by hand if nobody needs its data',
    )
  })

  it('is refused, with nothing written, where it lacks most of what is there', async () => {
    const many = Array.from({ length: 8 }, (_none, index) => configMap(`settings-${index}`))
    await deploy(deployOf('r1', [...application, ...many]), cluster, world)
    cluster.writes.length = 0
    await expect(deploy(deployOf('r2', application), cluster, world)).rejects.toThrow(
      'This release lacks 8 of the 12 objects that are deployed; nothing was changed',
    )
    expect(cluster.writes).toEqual([])
  })
})
