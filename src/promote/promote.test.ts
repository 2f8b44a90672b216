import { rm } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { deployWorld } from '../../tests/fakes/application.ts'
import { type FakeCluster, fakeCluster } from '../../tests/fakes/cluster.ts'
import { type FakeRegistry, openFakeRegistry } from '../../tests/fakes/registry.ts'
import type { FakeWorld } from '../../tests/fakes/world.ts'
import { readState } from '../cluster/state.ts'
import { readEnvironments } from '../environments/environments.ts'
import { addEvidence, readEvidence } from '../release/evidence.ts'
import { publishRelease } from '../../tests/fakes/release.ts'
import type { Release } from '../release/release.ts'
import { promote, type PromoteOptions } from './promote.ts'

const namespace = (name: string) =>
  Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }))
const manifests = new Map([
  ['overlays/staging/all.yaml', namespace('todo-staging')],
  [
    'environments.yaml',
    Buffer.from(`
application: todo
environments:
  dev: { overlay: overlays/dev, namespace: todo-dev }
  staging: { overlay: overlays/staging, namespace: todo-staging, after: dev }
  production: { overlay: overlays/production, namespace: todo-prod, after: staging }
`),
  ],
])

let registry: FakeRegistry
let cluster: FakeCluster
let world: FakeWorld
beforeEach(async () => {
  registry = await openFakeRegistry()
  cluster = fakeCluster()
  world = await deployWorld()
})
afterEach(async () => {
  await registry.close()
  await rm(world.workspace, { recursive: true })
})

function publish(revision = ''): Promise<Release> {
  const place = { registry: registry.registry, repository: 'todo/release' }
  const images = { version: 1, images: {} } as const
  return publishRelease({ images, manifests, revision }, place, world.signal)
}

async function judge(release: Release, verdict: string): Promise<void> {
  const predicate = { environment: 'dev', verdict, complete: true, at: 'noon' }
  await addEvidence(release, 'verdict', { predicate, at: verdict, signal: world.signal })
}

function move(release: Release, more: Partial<PromoteOptions> = {}): ReturnType<typeof promote> {
  const options: PromoteOptions = {
    ...{ release: release.reference, from: 'dev', to: 'staging', reason: 'ready' },
    ...{ timeoutSeconds: 60, holder: 'run-1', actor: 'ann' },
    mode: 'apply',
    manifestTree: readEnvironments(manifests),
    ...more,
  }
  return promote(options, cluster, world)
}

describe('a promotion', () => {
  it('moves the very release that was verified, and records who moved it past which gates', async () => {
    const release = await publish()
    await judge(release, 'pass')
    const { record } = await move(release)
    expect(record).toMatchObject({ release: release.reference, outcome: 'deployed', actor: 'ann' })
    expect((await readState('todo-staging', cluster))?.good?.release).toBe(release.reference)
    expect(await readEvidence(release, 'promotion', world.signal)).toEqual([record])
  })

  it.each([
    { name: 'was never verified', verdicts: [], says: 'never verified in dev' },
    {
      name: 'failed since it passed',
      verdicts: ['pass', 'fail'],
      says: 'its last verdict in dev is "fail"',
    },
  ])('is refused, with nothing written, where the release $name', async ({ verdicts, says }) => {
    const release = await publish()
    for (const verdict of verdicts) await judge(release, verdict)
    await expect(move(release)).rejects.toThrow(says)
    expect(cluster.writes).toEqual([])
    expect(await readEvidence(release, 'promotion', world.signal)).toEqual([])
  })

  it('is refused where it would leave an environment out', async () => {
    const release = await publish()
    await judge(release, 'pass')
    await expect(move(release, { to: 'production' })).rejects.toThrow(
      'production comes after staging, not after dev',
    )
    expect(cluster.writes).toEqual([])
  })

  it('goes back to the release that the last one replaced', async () => {
    const [first, second] = [await publish('1'), await publish('2')]
    for (const release of [first, second]) {
      await judge(release, 'pass')
      await move(release)
    }
    const { record } = await move(second, { mode: 'rollback', release: '' })
    expect(record.release).toBe(first.reference)
    expect((await readState('todo-staging', cluster))?.good?.release).toBe(first.reference)
  })

  it('goes nowhere back from the first release', async () => {
    const release = await publish()
    await judge(release, 'pass')
    await move(release)
    await expect(move(release, { mode: 'rollback' })).rejects.toThrow(
      'staging has no earlier release to go back to',
    )
  })
})
