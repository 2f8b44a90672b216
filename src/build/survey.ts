import type { World } from '../world.ts'
import type { BakeOptions } from './bake.ts'
import type { BakePlan, BakeTarget } from './bakeplan.ts'
import { type Base, resolveBases } from './bases.ts'
import { type Builder, readBuilder } from './builder.ts'
import {
  inputKeyOf,
  type KeyOfTarget,
  platformsOf,
  readSources,
  type TargetSources,
} from './inputkey.ts'

/** What is known about the targets of a run before anything is built. */
export type Survey = {
  readonly keys: ReadonlyMap<string, KeyOfTarget>
  /** Of each target and of those that stand as contexts of others. */
  readonly sources: readonly TargetSources[]
  /** By name as the Dockerfiles have it. */
  readonly bases: ReadonlyMap<string, Base>
  readonly mirrors: Builder['mirrors']
  readonly platformsOf: (target: BakeTarget) => readonly string[]
}

/** Where the builder does not say for what it builds. */
const ANY_PLATFORM = 'native'

/** Reads sources, bases and builder, and makes the input key of every target, parents first; a circle of parents is in doubt. */
export async function surveyTargets(
  plan: BakePlan,
  options: BakeOptions,
  world: World,
): Promise<Survey> {
  const all: readonly BakeTarget[] = [...plan.targets, ...plan.parents]
  const [builder, sources] = await Promise.all([
    readBuilder(options.builder, world),
    Promise.all(all.map((target) => readSources(target, plan.folder))),
  ])
  const mirrors = builder?.mirrors ?? new Map<string, readonly string[]>()
  const names = [...new Set(sources.flatMap(({ images }) => images))]
  const bases = await resolveBases(names, mirrors, world)
  const { platforms, reproducible } = options
  const platform = builder?.platform ?? ANY_PLATFORM
  const keys =
    builder === undefined
      ? new Map(all.map(({ name }) => [name, { doubts: ['the builder does not say its version'] }]))
      : keysOf(sources, { bases, builder, platforms, reproducible })
  return {
    keys,
    sources,
    bases,
    mirrors,
    platformsOf: (target) => platformsOf(target, { platforms, builder: { platform } }),
  }
}

function keysOf(
  sources: readonly TargetSources[],
  by: Omit<Parameters<typeof inputKeyOf>[1], 'parents'>,
): ReadonlyMap<string, KeyOfTarget> {
  const keys = new Map<string, KeyOfTarget>()
  // Parents of parents are known one round later; a circle never.
  for (let round = 0; round <= sources.length && keys.size < sources.length; round += 1)
    for (const one of sources)
      if (
        !keys.has(one.target.name) &&
        (one.parents.every((name) => keys.has(name)) || round === sources.length)
      )
        keys.set(one.target.name, inputKeyOf(one, { ...by, parents: keys }))
  return keys
}
