import type { Cluster } from '../cluster/cluster.ts'
import { deleteObject } from '../cluster/delete.ts'
import type { Picture } from '../cluster/watch.ts'
import { at, isObject, listAt, numberAt } from '../json.ts'
import { dependenciesOf } from '../render/dependencies.ts'
import { type KubeObject, podSpecOf } from '../render/manifest.ts'
import { splitWaves, type Wave, WAVE, WEIGHT } from '../render/waves.ts'
import { findLive, newestPods, uidOf } from './readiness/live.ts'

/** A wave, and what is only begun with it: that is waited for when its own wave comes. */
export type StartedWave = Wave & { readonly started: readonly KubeObject[] }

/** What others wait for before their own wave comes: the database, and what migrates it. */
const SLOW = ['StatefulSet', 'Job']
/** What a pod gets from nobody but its own manifests. */
const OWN_VOLUMES = ['name', 'configMap', 'downwardAPI', 'emptyDir']
const HOOK = 'helm.sh/hook'

/**
 * The waves of a rollout. At a first deploy there is nothing that a failed migration would have to leave as it was, so Deployments
 * that hold no login and no data of others, and so can hardly be waiting for a database to be migrated, start beside it instead of
 * after it. Whoever has a turn by an annotation keeps it, and charts with hooks have an order of their own.
 */
export function wavesOf(
  objects: readonly KubeObject[],
  isFree: (object: KubeObject) => boolean,
): readonly StartedWave[] {
  const waves = splitWaves(objects)
  const slow = waves.findIndex((wave) => wave.objects.some(({ kind }) => SLOW.includes(kind)))
  const isHooked = objects.some(({ metadata }) => metadata.annotations?.[HOOK] !== undefined)
  const later = slow < 0 || isHooked ? [] : waves.slice(slow + 1).flatMap((wave) => wave.objects)
  const dependencies = dependenciesOf(objects)
  const started = later.filter(
    (object) =>
      object.kind === 'Deployment' &&
      isFree(object) &&
      object.metadata.annotations?.[WAVE] === undefined &&
      object.metadata.annotations?.[WEIGHT] === undefined &&
      dependencies.of(object).length === 0 &&
      isOnItsOwn(object),
  )
  return waves.map((wave, index) => ({ ...wave, started: index === slow ? started : [] }))
}

function isOnItsOwn(object: KubeObject): boolean {
  const spec = podSpecOf(object)
  const isPlain = (volume: unknown) =>
    isObject(volume) && Object.keys(volume).every((key) => OWN_VOLUMES.includes(key))
  return (
    at(spec, 'automountServiceAccountToken') === false &&
    listAt(spec, 'volumes').every(isPlain) &&
    !/"secret(Key)?Ref":/.test(JSON.stringify(spec))
  )
}

/**
 * Removes those that have crashed meanwhile: they did wait for something after all. Begun again when their turn has come, they owe
 * nothing to what was before. Returns them.
 */
export async function withdrawCrashed(
  objects: readonly KubeObject[],
  picture: Picture,
  cluster: Cluster,
): Promise<readonly KubeObject[]> {
  const crashed = objects.filter((object) => newestPods(object, picture).some(hasCrashed))
  for (const object of crashed)
    await deleteObject(object, uidOf(findLive(object, picture.Deployment)), cluster)
  return crashed
}

function hasCrashed(pod: unknown): boolean {
  return listAt(pod, 'status', 'containerStatuses').some(
    (status) =>
      (numberAt(status, 'restartCount') ?? 0) > 0 ||
      at(status, 'state', 'terminated') !== undefined,
  )
}
