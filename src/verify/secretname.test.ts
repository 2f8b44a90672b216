import { describe, expect, it } from '@jest/globals'
import { fakeCluster } from '../../tests/fakes/cluster.ts'
import { writeState } from '../cluster/state.ts'
import { deployedName } from './secretname.ts'

/** The name of `todo-secrets` where the deployed release has Secrets of these names. */
async function nameAmong(...secrets: readonly string[]): Promise<string> {
  const cluster = fakeCluster()
  const inventory = secrets.map((name) => ({
    object: { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'todo' } },
    uid: name,
  }))
  const good = { release: 'r1', planHash: '', at: '2026-11-21T12:00:00Z', inventory }
  const state = { version: 1, application: 'todo', environment: 'dev', good } as const
  await writeState('todo', state, cluster)
  return await deployedName('todo-secrets', 'todo', cluster)
}

describe('the name of a Secret in the cluster', () => {
  it.each([
    {
      name: 'has the hash of a generated one',
      secrets: ['others-5k7bt4gd9f', 'todo-secrets-5k7bt4gd9f'],
      found: 'todo-secrets-5k7bt4gd9f',
    },
    {
      name: 'is not that of another whose name only begins so',
      secrets: ['todo-secrets-of-somebody-else'],
      found: 'todo-secrets',
    },
    { name: 'is the plain one where it comes from outside', secrets: [], found: 'todo-secrets' },
  ])('$name', async ({ secrets, found }) => {
    expect(await nameAmong(...secrets)).toBe(found)
  })

  it('is the plain one where nothing was deployed', async () => {
    expect(await deployedName('todo-secrets', 'todo', fakeCluster())).toBe('todo-secrets')
  })
})
