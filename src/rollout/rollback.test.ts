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
import { answer, type FakeCluster, fakeCluster } from '../../tests/fakes/cluster.ts'
import type { FakeWorld } from '../../tests/fakes/world.ts'
import { type EnvironmentState, readState } from '../cluster/state.ts'
import { at } from '../json.ts'
import { nameOf } from '../render/manifest.ts'
import { deploy } from './deploy.ts'

const good = [namespaceObject, configMap('settings'), service('web'), deployment('web')]
const bad = [namespaceObject, configMap('new'), service('web'), deployment('web', 'broken')]
const webPath = '/apis/apps/v1/namespaces/todo/deployments/web'

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
  const kinds = ['ConfigMap', 'Service', 'Deployment', 'Lease']
  return [...cluster.objects.values()].filter(({ kind }) => kinds.includes(kind)).map(nameOf)
}

function annotationsOfWeb(): unknown {
  return at(cluster.objects.get(webPath), 'spec', 'template', 'metadata', 'annotations')
}

/** Refuses to write one object for real; its dry run passes. */
function refuseToWrite(name: string): void {
  cluster.intercept = ({ method, path }) =>
    method === 'PATCH' && path.includes(`/${name}?`) && !path.includes('dryRun')
      ? answer(403, { message: 'forbidden just now' })
      : undefined
}

describe('a first deploy that fails', () => {
  it('says why in one line, shows the last words and removes what it created', async () => {
    const result = await deploy(deployOf('r1', bad), cluster, world)
    expect(result.outcome).toBe('rolled-back')
    expect(result.message).toContain(
      'Deployment todo/web will not become ready: its container exits',
    )
    expect(result.failure?.details).toContain('log    boom')
    expect(names()).toEqual([])
    expect(await stateNow()).toMatchObject({ application: 'todo', environment: 'dev' })
    expect((await stateNow())?.pending).toBeUndefined()
  })

  it('leaves what was there before it', async () => {
    cluster = fakeCluster({
      '/api/v1/namespaces/todo': namespaceObject,
      '/api/v1/namespaces/todo/configmaps/new': configMap('new', { of: 'somebody else' }),
    })
    expect((await deploy(deployOf('r1', bad), cluster, world)).outcome).toBe('rolled-back')
    expect(names()).toEqual(['ConfigMap todo/new'])
  })

  it('removes what it created though the server stopped it midway', async () => {
    refuseToWrite('web')
    const result = await deploy(deployOf('r1', good), cluster, world)
    expect(result.outcome).toBe('rolled-back')
    expect(result.message).toContain('Service todo/web was refused')
    expect(names()).toEqual([])
  })

  it('is kept for a look where that was asked for', async () => {
    const result = await deploy(deployOf('r1', bad, { onFailure: 'keep' }), cluster, world)
    expect(result.outcome).toBe('failed')
    expect(names()).toContain('Deployment todo/web')
  })
})

describe('a later deploy that fails', () => {
  it('returns to the last good release and removes what it had added', async () => {
    await deploy(deployOf('r1', good), cluster, world)
    const result = await deploy(deployOf('r2', bad), cluster, world)
    expect(result.outcome).toBe('rolled-back')
    expect(result.message).toContain('todo is back at r1')
    expect(annotationsOfWeb()).toEqual({ how: 'good' })
    expect(names()).toEqual(['ConfigMap todo/settings', 'Service todo/web', 'Deployment todo/web'])
    const state = await stateNow()
    expect(state?.good?.release).toBe('r1')
    expect(state?.pending).toBeUndefined()
  })

  it('says so where the way back fails too, and lets go of the lease', async () => {
    await deploy(deployOf('r1', good), cluster, world)
    let failed = false
    cluster.intercept = ({ method, path }) => {
      failed ||= path.includes('/log?')
      return failed && method === 'PATCH' && path.includes('/settings?')
        ? answer(500, { message: 'etcd is away' })
        : undefined
    }
    const result = await deploy(deployOf('r2', bad), cluster, world)
    expect(result.outcome).toBe('rollback-failed')
    expect(result.message).toContain('The way back failed too: ConfigMap todo/settings was refused')
    expect(names().some((name) => name.startsWith('Lease'))).toBe(false)
  })

  it('can be followed by one that is good', async () => {
    await deploy(deployOf('r1', good), cluster, world)
    await deploy(deployOf('r2', bad), cluster, world)
    const better = [...good.slice(0, -1), deployment('web', 'better')]
    const result = await deploy(deployOf('r3', better), cluster, world)
    expect(result.outcome).toBe('deployed')
    expect(annotationsOfWeb()).toEqual({ how: 'better' })
  })
})

describe('a deploy that is killed', () => {
  /** Deploys and is stopped for good at the moment `name` is written. */
  async function killAt(name: string, options: Parameters<typeof deploy>[0]): Promise<void> {
    const controller = new AbortController()
    cluster.intercept = ({ method, path }) => {
      const isIt = method === 'PATCH' && path.includes(`/${name}?`) && !path.includes('dryRun')
      if (isIt) controller.abort(new Error('killed'))
      if (controller.signal.aborted && !isIt) throw new Error('killed')
      return undefined
    }
    const dying = { ...world, signal: controller.signal }
    await expect(deploy(options, cluster, dying)).rejects.toThrow('killed')
    cluster.intercept = () => undefined
  }

  it('is taken over by the next run, which says so', async () => {
    await deploy(deployOf('r1', good), cluster, world)
    await killAt('web', deployOf('r2', [...good.slice(0, -1), deployment('web', 'better')]))
    expect((await stateNow())?.pending?.release).toBe('r2')
    const result = await deploy(deployOf('r3', good), cluster, world)
    expect(result.outcome).toBe('deployed')
    expect(world.said.join('\n')).toContain('A deploy of r2 did not end')
    expect((await stateNow())?.pending).toBeUndefined()
  })

  it('leaves nothing that the next run has no use for', async () => {
    await deploy(deployOf('r1', good), cluster, world)
    const changed = [...good.slice(1, -1), deployment('web', 'better')]
    await killAt('web', deployOf('r2', [namespaceObject, configMap('extra'), ...changed]))
    expect(names()).toContain('ConfigMap todo/extra')
    await deploy(deployOf('r1', good), cluster, world)
    expect(names()).not.toContain('ConfigMap todo/extra')
  })

  it('leaves nothing behind where the next run fails as well', async () => {
    await killAt('settings', deployOf('r1', good))
    expect(names()).toContain('ConfigMap todo/settings')
    const result = await deploy(deployOf('r2', bad), cluster, world)
    expect(result.outcome).toBe('rolled-back')
    expect(names()).toEqual([])
  })
})
