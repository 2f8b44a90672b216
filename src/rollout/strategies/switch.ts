import { RolloutFailed } from '../failure.ts'
import { newestLabels, replicasOf, scale } from './deployments.ts'
import { type Proof, prove } from './endpoints.ts'
import { type Ground, oldName, point, type Selectors, selectorsOf, type Stage } from './ground.ts'
import type { Labels } from './labels.ts'
import type { Move } from './moves.ts'
import { previewName } from './sets.ts'

/** EndpointSlices are proof of what the API server knows; the proxies of the nodes follow within one to three seconds. */
export const PROPAGATION_MS = 3_000

export type Side = {
  readonly move: Move
  /** How many new pods there are at least. */
  readonly count: number
  readonly newest: Labels
  readonly services: readonly {
    readonly object: Move['services'][number]['object']
    readonly selectors: Selectors
  }[]
}

/**
 * Shifts the requests of all moves at once from the old pods to the new ones, which are ready: proved on the preview Service, then both
 * take requests (so that no moment is without), then only the new ones. Each step waits for the EndpointSlices.
 */
export async function switchTraffic(
  moves: readonly Move[],
  ground: Ground,
  stage: Stage,
): Promise<void> {
  const counts = await followAutoscaler(moves, ground)
  const sides = moves.map((move, index) => sideOf(move, counts[index] ?? move.replicas, stage))
  await provePreviews(sides, ground, stage)
  await widen(sides, ground, stage)
  await narrow(sides, ground, stage)
}

/** Both sets take requests. Where no selector means both and nothing else, this step is left out. */
export async function widen(sides: readonly Side[], ground: Ground, stage: Stage): Promise<void> {
  const proofs: Proof[] = []
  for (const { move, count, newest, services } of sides)
    for (const { object, selectors } of services) {
      const { hold, wide, narrow: last, wanted } = selectors
      if (wide === undefined) continue
      const what = `${oldName(move)} and ${move.to.metadata.name}`
      await point(
        object,
        { selector: wide, ours: [hold, last, wanted], what, side: 'both' },
        ground,
      )
      const service = object.metadata.name
      proofs.push({ service, all: newest, atLeast: count, others: true })
    }
  await demand(proofs, ground, stage)
  await ground.world.clock.sleep(PROPAGATION_MS, ground.world.signal)
}

/** Only the new set takes requests. */
export async function narrow(sides: readonly Side[], ground: Ground, stage: Stage): Promise<void> {
  const proofs: Proof[] = []
  for (const { move, count, newest, services } of sides)
    for (const { object, selectors } of services) {
      const { hold, wide, narrow: last, wanted } = selectors
      const what = move.to.metadata.name
      await point(object, { selector: last, ours: [hold, wide, wanted], what, side: 'new' }, ground)
      const service = object.metadata.name
      proofs.push({ service, all: newest, atLeast: count, others: false })
    }
  await demand(proofs, ground, stage)
}

export function sideOf(move: Move, count: number, { watch }: Stage): Side {
  const newest = newestLabels(move.to.metadata.name, watch.picture())
  if (newest === undefined)
    throw notShifted(
      `Deployment ${move.namespace}/${move.to.metadata.name} has no ReplicaSet, so its pods can't be told from others`,
      'see why its controller makes none',
    )
  const services = move.services.map((service) => ({
    object: service.object,
    selectors: selectorsOf(move, service, newest),
  }))
  return { move, count, newest, services }
}

/** The preview Services have all pods of their set, and no other: what was tried through them is what will serve. */
export async function provePreviews(
  sides: readonly Side[],
  ground: Ground,
  stage: Stage,
): Promise<void> {
  const services = new Set(
    ground.objects.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name),
  )
  const proofs = sides.flatMap(({ move, count, newest }) =>
    move.services
      .map(({ object }) => previewName(object.metadata.name))
      .filter((name) => services.has(name))
      .map((service) => ({ service, all: newest, atLeast: count, others: false })),
  )
  await demand(proofs, ground, stage)
}

export async function demand(
  proofs: readonly Proof[],
  { world }: Ground,
  { watch, deadline }: Stage,
): Promise<void> {
  const open = await prove(proofs, watch, { world, deadline })
  if (open.length === 0) return
  throw notShifted(
    `The new pods do not take requests in time: ${open.join('; ')}`,
    'see that the Service selects them and that they stay ready',
  )
}

function notShifted(text: string, remedy: string): RolloutFailed {
  const cause = { code: 'requests-not-shifted', text, remedy } as const
  return new RolloutFailed(`${text}; ${remedy}`, cause, [])
}

/** The old sets may have grown since the plan: the new ones take over as many pods as there are now. */
async function followAutoscaler(
  moves: readonly Move[],
  { cluster, world }: Ground,
): Promise<readonly number[]> {
  return await Promise.all(
    moves.map(async ({ namespace, from, to, replicas, isFollowing }) => {
      const now = (await replicasOf(namespace, from.deployment, cluster)) ?? 0
      if (!isFollowing || now <= replicas) return replicas
      const { name } = to.metadata
      world.progress.say(`${from.deployment} has grown to ${now} pods, so ${name} does too`)
      await scale({ namespace, name, replicas: now }, cluster)
      return now
    }),
  )
}
