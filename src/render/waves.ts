import { at } from '../json.ts'
import { dependenciesOf, type Dependencies } from './dependencies.ts'
import { earlyProblems } from './early.ts'
import { keyOf, type KubeObject, selects } from './manifest.ts'

/** On an object: the wave it belongs to, instead of the one of its kind. */
export const WAVE = 'todo-deploy.dev/wave'
/** On an object: its turn within its wave, lowest first; those of one number go together. 0 where it is not there. */
export const WEIGHT = 'todo-deploy.dev/weight'

/** Groups of kinds in the order they are written; each wave is ready before the next begins. */
const WAVES = {
  namespace: ['Namespace', 'CustomResourceDefinition', 'PriorityClass', 'StorageClass'],
  configuration: [
    'ServiceAccount',
    'Role',
    'ClusterRole',
    'RoleBinding',
    'ClusterRoleBinding',
    'Secret',
    'ConfigMap',
    'ResourceQuota',
    'LimitRange',
    'PersistentVolume',
    'PersistentVolumeClaim',
    'NetworkPolicy',
    // Their operator makes the Secret that everything below reads.
    'SecretStore',
    'ExternalSecret',
  ],
  stateful: ['Service', 'StatefulSet'],
  migration: ['Job'],
  services: ['Service'],
  workloads: ['Deployment', 'DaemonSet', 'Pod', 'CronJob'],
  routes: [],
  after: [],
} as const satisfies Readonly<Record<string, readonly string[]>>

type WaveName = keyof typeof WAVES
const ORDER = Object.keys(WAVES) as readonly WaveName[]
export const WAVE_NAMES: readonly string[] = ORDER

const TITLES: Readonly<Record<WaveName, string>> = {
  namespace: 'namespace',
  configuration: 'configuration',
  stateful: 'stateful workloads',
  migration: 'jobs',
  services: 'services',
  workloads: 'workloads',
  routes: 'routes',
  after: 'what comes after',
}

export type Wave = { readonly name: string; readonly objects: readonly KubeObject[] }

/**
 * Splits objects into waves: what others need comes first. A StatefulSet (the database, where it is inside) and its Services come
 * before the Jobs, which migrate it; Jobs before the Services and workloads that need the result: where a migration fails,
 * neither of them has changed. Routes, autoscalers and budgets come last. Annotations move single objects, and whoever depends
 * on another one comes after it. Within a wave the kinds keep the order that they have above.
 */
export function splitWaves(objects: readonly KubeObject[]): readonly Wave[] {
  const dependencies = dependenciesOf(objects)
  const places = new Map<string, Place>()
  for (const object of objects) placeOf(object, { objects, dependencies, places })
  const steps = new Map<string, { readonly place: Place; readonly objects: KubeObject[] }>()
  for (const object of objects) {
    const place = places.get(keyOf(object)) ?? { wave: 0, weight: 0, turn: 0 }
    const key = [place.wave, place.weight, place.turn].join('|')
    const step = steps.get(key) ?? { place, objects: [] }
    step.objects.push(object)
    steps.set(key, step)
  }
  const sorted = [...steps.values()].toSorted((a, b) => compare(a.place, b.place))
  return sorted.map(({ place, objects: members }, index) => {
    const same = sorted.filter((other) => other.place.wave === place.wave)
    const nth = sorted.slice(0, index + 1).filter((other) => other.place.wave === place.wave).length
    const title = TITLES[ORDER[place.wave] ?? 'after']
    return {
      name: same.length === 1 ? title : `${title} (${nth} of ${same.length})`,
      objects: members.toSorted((a, b) => rankOf(a, place.wave) - rankOf(b, place.wave)),
    }
  })
}

/** Annotations about order that can't be followed; nothing is thrown for what is found. */
export function orderProblems(objects: readonly KubeObject[]): readonly string[] {
  const wrong = objects.flatMap((object) => {
    const wave = object.metadata.annotations?.[WAVE]
    const weight = object.metadata.annotations?.[WEIGHT]
    const name = `${object.kind} ${object.metadata.name}`
    return [
      ...(wave === undefined || WAVE_NAMES.includes(wave)
        ? []
        : [`${name}: ${WAVE} is "${wave}"; it may be ${WAVE_NAMES.join(', ')}`]),
      ...(weight === undefined || /^-?\d+$/.test(weight)
        ? []
        : [`${name}: ${WEIGHT} is "${weight}"; it has to be a whole number`]),
    ]
  })
  return [...wrong, ...earlyProblems(objects), ...dependenciesOf(objects).problems]
}

/** `turn`: later than those it depends on, in one and the same wave. */
type Place = { readonly wave: number; readonly weight: number; readonly turn: number }

type Context = {
  readonly objects: readonly KubeObject[]
  readonly dependencies: Dependencies
  readonly places: Map<string, Place>
}

function placeOf(object: KubeObject, context: Context): Place {
  const known = context.places.get(keyOf(object))
  if (known !== undefined) return known
  const asked = ORDER.indexOf((object.metadata.annotations?.[WAVE] ?? '') as WaveName)
  const own: Place = {
    wave: asked >= 0 ? asked : waveOf(object, context.objects),
    weight: Number(object.metadata.annotations?.[WEIGHT] ?? 0) || 0,
    turn: 0,
  }
  // Noted before the others are asked: a circle, which is refused elsewhere, must not go on for ever.
  context.places.set(keyOf(object), own)
  const place = context.dependencies.of(object).reduce<Place>((late, needed) => {
    const before = placeOf(needed, context)
    return compare(before, late) < 0 ? late : { ...before, turn: before.turn + 1 }
  }, own)
  context.places.set(keyOf(object), place)
  return place
}

function compare(a: Place, b: Place): number {
  return a.wave - b.wave || a.weight - b.weight || a.turn - b.turn
}

function rankOf({ kind }: KubeObject, wave: number): number {
  const kinds: readonly string[] = WAVES[ORDER[wave] ?? 'after']
  const rank = kinds.indexOf(kind)
  return rank < 0 ? kinds.length : rank
}

function waveOf(object: KubeObject, objects: readonly KubeObject[]): number {
  const { kind } = object
  if (kind === 'Service')
    return ORDER.indexOf(belongsToStateful(object, objects) ? 'stateful' : 'services')
  const found = ORDER.findIndex((name) => (WAVES[name] as readonly string[]).includes(kind))
  return found < 0 ? ORDER.indexOf('routes') : found
}

/** A database is found by its Service, so that comes with it and not after the migration. */
function belongsToStateful(service: KubeObject, objects: readonly KubeObject[]): boolean {
  return objects.some(
    (object) =>
      object.kind === 'StatefulSet' &&
      object.metadata.namespace === service.metadata.namespace &&
      (at(object, 'spec', 'serviceName') === service.metadata.name || selects(service, object)),
  )
}
