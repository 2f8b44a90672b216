import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from '@jest/globals'
import { fakeWorld } from '../../../tests/fakes/world.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { openWitness } from './witness.ts'

it('knows nothing at first, and what was asked for when it was heard', async () => {
  const body = { kind: 'Node' }
  const cluster = {
    call: async ({ path }: { readonly path: string }) => {
      await sleep(20)
      if (path.endsWith('/broken')) throw new Error('of the network')
      return { status: path.endsWith('/away') ? 404 : 200, body, text: '' }
    },
  } as unknown as Cluster
  const witness = openWitness(cluster, fakeWorld())
  const look = () => ['/there', '/away', '/broken'].map((path) => witness.read(path))
  expect(look()).toEqual(['unknown', 'unknown', 'unknown'])
  await witness.heard()
  expect(look()).toEqual([{ body }, 'missing', 'unknown'])
})
