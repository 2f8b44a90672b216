import type { Cluster } from '../../cluster/cluster.ts'
import type { NamespaceWatch } from '../../cluster/watch.ts'
import type { Strategy } from '../../environments/strategy.ts'
import { numberAt, textAt } from '../../json.ts'
import { keyOf, type KubeObject } from '../../render/manifest.ts'
import type { World } from '../../world.ts'
import type { Side, TimelineRecorder } from '../timeline.ts'
import type { Written } from '../readiness/wait.ts'
import { baseOf, type Labels, TEMPLATE_HASH, widest } from './labels.ts'
import { holdSelector, type Move } from './moves.ts'
import { swapSelector } from './selector.ts'
import { selectorOf } from './sets.ts'

/** What every step of a strategy works on. */
export type Ground = {
  readonly moves: readonly Move[]
  readonly objects: readonly KubeObject[]
  readonly strategy: Strategy
  readonly cluster: Cluster
  readonly world: World
  readonly timeline: TimelineRecorder
  /** The selector that each Service has now, by name: as it was planned, then as we have set it. */
  readonly selectors: Map<string, Labels>
}

export type Stage = {
  readonly watch: NamespaceWatch
  /** Milliseconds since the epoch. */
  readonly deadline: number
}

/** For one Service of a move: the old pods only, both, the new pods only. */
export type Selectors = {
  readonly hold: Labels
  readonly wide: Labels | undefined
  readonly narrow: Labels
  /** As the release has it. */
  readonly wanted: Labels
}

export function selectorsOf(
  move: Move,
  service: Move['services'][number],
  newest: Labels,
): Selectors {
  const wanted = selectorOf(service.object)
  return {
    hold: holdSelector(service.selector, move),
    wide: widest(service.selector, wanted),
    narrow: { ...baseOf(wanted), ...newest },
    wanted,
  }
}

/** Points one Service of a move elsewhere, if its selector is still one of ours. */
export async function point(
  service: KubeObject,
  to: {
    readonly selector: Labels
    readonly ours: readonly (Labels | undefined)[]
    readonly what: string
    readonly side: Side
  },
  ground: Ground,
): Promise<void> {
  const { name } = service.metadata
  const { cluster, world, timeline, selectors } = ground
  const known = [...to.ours, selectors.get(name)].filter((one) => one !== undefined)
  const isNew = await swapSelector({ service, expected: known, selector: to.selector }, cluster)
  selectors.set(name, to.selector)
  if (!isNew) return
  timeline.shift({ service: name, what: to.what, side: to.side })
  world.progress.say(`requests of ${name} go to ${to.what}`)
}

/** What the server had of an object right after a write, in the form that waiting wants it. */
export function writtenOf(object: KubeObject, live: unknown): ReadonlyMap<string, Written> {
  const uid = textAt(live, 'metadata', 'uid') ?? ''
  return new Map([
    [keyOf(object), { uid, generation: numberAt(live, 'metadata', 'generation') ?? 0 }],
  ])
}

/** How people call the pods of a move's old side. */
export function oldName({ from }: Move): string {
  const hash = from.labels[TEMPLATE_HASH]
  return hash === undefined ? from.deployment : `${from.deployment} (${hash})`
}
