import { deploymentOf, objectOf } from './manifests.ts'
import { type FakeSets, fakeSets } from './podsets.ts'
import { type FakeWorld, fakeWorld } from './world.ts'
import { discoverResources } from '../../src/cluster/resources.ts'
import { type RawStrategy, readStrategy } from '../../src/environments/strategy.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { recordTimeline } from '../../src/rollout/timeline.ts'
import { type Handover, openHandover } from '../../src/rollout/strategies/handover.ts'
import type { Traffic } from '../../src/rollout/strategies/moves.ts'
import { asSets } from '../../src/rollout/strategies/sets.ts'

export const service = objectOf('Service', 'web', {
  spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
})

/** One version of the Deployment behind the Service. */
export function web(version: string, replicas: number | 'none' = 4): KubeObject {
  const ports = [{ name: 'http', containerPort: 8080 }]
  const containers = [{ name: 'main', image: `web@${version}`, ports }]
  const strategy = { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
  const count = replicas === 'none' ? {} : { replicas }
  const found = deploymentOf('web', { containers }, { ...count, strategy })
  return { ...found, apiVersion: 'apps/v1' }
}

export type Run = { readonly handover: Handover; readonly objects: readonly KubeObject[] }

/** A namespace in which releases follow each other, with nothing of a rollout but its handover. */
export type Street = {
  readonly sets: FakeSets
  readonly world: FakeWorld
  open: (given: readonly KubeObject[], raw: RawStrategy, before?: Traffic) => Promise<Run>
  /** What a rollout does around a handover; it may be killed after some parts. */
  roll: (run: Run, until?: 'written' | 'shifted' | 'end') => Promise<void>
  deploy: (given: readonly KubeObject[], raw: RawStrategy) => Promise<void>
  /** Where requests of the Service went after each write, changes only. */
  course: () => readonly Readonly<Record<string, number>>[]
  deployments: () => readonly string[]
  /** Notes the number of pods behind the Service at every call: none of them may find too few. */
  watchCapacity: () => readonly number[]
}

export function openStreet(): Street {
  const sets = fakeSets()
  const world = fakeWorld()
  const street: Street = {
    sets,
    world,
    open: async (given, raw, before = {}) => {
      const strategy = readStrategy(raw)
      const objects = asSets(given, strategy)
      const timeline = recordTimeline(world.clock)
      const target = { objects, strategy, before, timeline }
      return { objects, handover: await openHandover(target, sets.cluster, world) }
    },
    roll: async ({ handover, objects }, until = 'end') => {
      const stage = { watch: sets.watch, deadline: world.clock.now().getTime() + 60_000 }
      const resources = discoverResources(sets.cluster)
      await handover.begin(stage)
      for (const object of objects)
        if (handover.handles(object)) await handover.write(object, resources)
        else await put(object, sets)
      if (until === 'written') return
      await handover.shift(stage)
      if (until === 'shifted') return
      await handover.settle(stage)
    },
    deploy: async (given, raw) => {
      await street.roll(await street.open(given, raw))
    },
    course: () => {
      const all = sets.log
        .filter((line) => line.startsWith('PATCH services/web →'))
        .map((line) => line.split(' → ')[1] ?? '')
      return all
        .filter((one, index) => one !== all[index - 1])
        .map((one) => JSON.parse(one) as Record<string, number>)
    },
    deployments: () =>
      [...sets.objects.keys()]
        .filter((key) => key.startsWith('deployments/'))
        .map((key) => key.slice('deployments/'.length)),
    watchCapacity: () => {
      const seen: number[] = []
      sets.intercept = () => {
        seen.push(Object.values(sets.taking('web')).reduce((sum, count) => sum + count, 0))
        return undefined
      }
      return seen
    },
  }
  return street
}

async function put(object: KubeObject, { cluster }: FakeSets): Promise<void> {
  const path = `/x/namespaces/todo/${object.kind.toLowerCase()}s/${object.metadata.name}`
  const contentType = 'application/apply-patch+yaml'
  await cluster.call({ method: 'PATCH', path, body: object, contentType })
}
