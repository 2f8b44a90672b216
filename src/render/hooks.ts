import { refuse } from '../errors.ts'
import { type KubeObject, nameOf } from './manifest.ts'
import { WAVE, WEIGHT } from './waves.ts'

const HOOK = 'helm.sh/hook'
const HOOK_WEIGHT = 'helm.sh/hook-weight'

export type PlacedHooks = {
  readonly objects: readonly KubeObject[]
  /** Hooks that a deploy has no place for, one line each. */
  readonly said: readonly string[]
}

/**
 * Gives the hooks of a chart their place in a deploy: those before an installation (or upgrade) run before the workloads, those
 * after it when all is ready, by weight. Tests and hooks of other events are left out. What a hook Job needs (accounts,
 * configuration) is written with all other configuration.
 */
export function placeHooks(objects: readonly KubeObject[], isUpgrade: boolean): PlacedHooks {
  const event = isUpgrade ? 'upgrade' : 'install'
  const said: string[] = []
  const problems: string[] = []
  const placed = objects.flatMap((object) => {
    const hook = object.metadata.annotations?.[HOOK]
    if (hook === undefined) return [object]
    const events = hook.split(',').map((one) => one.trim())
    if (events.includes('crd-install')) return [object]
    const when = [`pre-${event}`, `post-${event}`].find((one) => events.includes(one))
    if (when === undefined) {
      said.push(`left out: ${nameOf(object)}, a hook for ${hook}`)
      return []
    }
    if (object.kind === 'Pod')
      problems.push(`${nameOf(object)} is a hook; make it a Job, which can be run again`)
    return [place(object, when.startsWith('pre-'))]
  })
  if (problems.length > 0) refuse('The chart has hooks that can not be run', problems)
  return { objects: placed, said }
}

function place(object: KubeObject, isBefore: boolean): KubeObject {
  const { annotations = {} } = object.metadata
  const weight = annotations[HOOK_WEIGHT] ?? '0'
  const wave = isBefore ? (object.kind === 'Job' ? 'migration' : undefined) : 'after'
  const order = wave === undefined ? {} : { [WAVE]: wave, [WEIGHT]: weight }
  return { ...object, metadata: { ...object.metadata, annotations: { ...order, ...annotations } } }
}

/** Whether a hook that did its work is removed; it is not run again while its content is the same. */
export function isRemovedAfterSuccess(object: KubeObject): boolean {
  const policy = object.metadata.annotations?.['helm.sh/hook-delete-policy'] ?? ''
  return object.kind === 'Job' && policy.split(',').some((one) => one.trim() === 'hook-succeeded')
}
