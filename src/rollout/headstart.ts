import { at } from '../json.ts'
import { dependenciesOf } from '../render/dependencies.ts'
import { type KubeObject, podSpecOf } from '../render/manifest.ts'
import { splitWaves, type Wave, WAVE, WEIGHT } from '../render/waves.ts'

/** A wave, and what is only begun with it: that is waited for when its own wave comes. */
export type StartedWave = Wave & { readonly started: readonly KubeObject[] }

/** What others wait for before their own wave comes: the database, and what migrates it. */
const SLOW = ['StatefulSet', 'Job']
/** A Secret in any form, or a volume of somebody else's making. */
const LOGIN = /"(secret|secretRef|secretKeyRef|secretName|csi|serviceAccountToken)":/

/**
 * The waves of a rollout. At a first deploy there is nothing that a failed migration would have to leave as it was, so Deployments
 * that hold no login of any kind, and so can't be waiting for a database to be migrated, start beside it instead of after it. Whoever
 * has a turn by an annotation keeps it.
 */
export function wavesOf(
  objects: readonly KubeObject[],
  isFree: (object: KubeObject) => boolean,
): readonly StartedWave[] {
  const waves = splitWaves(objects)
  const slow = waves.findIndex((wave) => wave.objects.some(({ kind }) => SLOW.includes(kind)))
  const later = slow < 0 ? [] : waves.slice(slow + 1).flatMap((wave) => wave.objects)
  const dependencies = dependenciesOf(objects)
  const started = later.filter(
    (object) =>
      object.kind === 'Deployment' &&
      isFree(object) &&
      object.metadata.annotations?.[WAVE] === undefined &&
      object.metadata.annotations?.[WEIGHT] === undefined &&
      dependencies.of(object).length === 0 &&
      !holdsLogin(object),
  )
  return waves.map((wave, index) => ({ ...wave, started: index === slow ? started : [] }))
}

function holdsLogin(object: KubeObject): boolean {
  const spec = podSpecOf(object)
  return at(spec, 'automountServiceAccountToken') !== false || LOGIN.test(JSON.stringify(spec))
}
