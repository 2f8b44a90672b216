import { describe, expect, it } from '@jest/globals'
import type { EnvironmentState } from '../cluster/state.ts'
import { imageChanges } from './imagechanges.ts'

function deployment(name: string, image: string, labels: Readonly<Record<string, string>> = {}) {
  const spec = { template: { spec: { containers: [{ name: 'main', image }] } } }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'todo', labels },
    spec,
  }
}

const change = (object: ReturnType<typeof deployment>, live?: unknown) => ({
  ...{ object, action: 'update' as const, fields: [], live },
})

function state(...objects: readonly ReturnType<typeof deployment>[]): EnvironmentState {
  const inventory = objects.map((object) => ({ object, uid: 'x' }))
  const good = { release: 'r', planHash: 'h', at: '', inventory }
  return { version: 1, application: 'todo', environment: 'dev', good }
}

describe('the images of a deploy', () => {
  it('are compared with the last good release', () => {
    const plan = { changes: [change(deployment('web', 'new'), deployment('web', 'failed since'))] }
    expect(imageChanges({ plan, state: state(deployment('web', 'old')) })).toEqual([
      { workload: 'Deployment web', container: 'main', before: 'old', after: 'new' },
    ])
  })

  it('are found under the name of the workload, whatever its sets are called', () => {
    const label = { 'todo-deploy.dev/workload': 'web' }
    const plan = { changes: [change(deployment('web-2b', 'new', label))] }
    expect(imageChanges({ plan, state: state(deployment('web-1a', 'old', label)) })).toMatchObject([
      { workload: 'Deployment web', before: 'old', after: 'new' },
    ])
  })

  it('are what the cluster has where there was no release, and else nothing', () => {
    const live = change(deployment('web', 'new'), deployment('web', 'by hand'))
    const plan = { changes: [live, change(deployment('api', 'new'))] }
    expect(imageChanges({ plan, state: undefined }).map(({ before }) => before)).toEqual([
      'by hand',
      null,
    ])
  })
})
