import { at, textAt } from '../../json.ts'
import type { KubeObject } from '../../render/manifest.ts'
import { conditionOf, eventsAbout, findLive, isTrue } from './live.ts'
import { failed, type Readiness, ready, type View, waiting } from './verdict.ts'

/** A claim whose volume is only made for its first pod is ready while nobody uses it. */
export function claimReadiness(object: KubeObject, { picture, witness }: View): Readiness {
  const live = findLive(object, picture.PersistentVolumeClaim)
  const phase = textAt(live, 'status', 'phase')
  if (phase === 'Bound') return ready('bound')
  if (phase === 'Lost')
    return failed(
      'volume-failed',
      'its volume is gone',
      'restore the data into a new claim; the old one can only be deleted',
    )
  if (live === undefined) return waiting('not there yet')
  const waitsForPod = eventsAbout(live, picture).some(
    (event) => textAt(event, 'reason') === 'WaitForFirstConsumer',
  )
  const className = textAt(live, 'spec', 'storageClassName') ?? ''
  const storage = witness.read(`/apis/storage.k8s.io/v1/storageclasses/${className}`)
  const mode = typeof storage === 'object' ? textAt(storage.body, 'volumeBindingMode') : undefined
  if (mode !== 'WaitForFirstConsumer' && !waitsForPod) return waiting('no volume yet')
  const { name } = object.metadata
  const isUsed = picture.Pod.some((pod) => claimsOf(pod).includes(name))
  return isUsed ? waiting('its volume is being made') : ready('a volume is made for its first pod')
}

/** The names of the claims that a pod mounts. */
export function claimsOf(pod: unknown): readonly string[] {
  const volumes = at(pod, 'spec', 'volumes')
  if (!Array.isArray(volumes)) return []
  return volumes.flatMap((volume) => textAt(volume, 'persistentVolumeClaim', 'claimName') ?? [])
}

/** Metrics come late and go away for a while, so they are no reason to wait. What it scales, and by what, must be right. */
export function autoscalerReadiness(object: KubeObject, { picture }: View): Readiness {
  const live = findLive(object, picture.HorizontalPodAutoscaler)
  if (live === undefined) return waiting('not there yet')
  const active = conditionOf(live, 'ScalingActive')
  const able = conditionOf(live, 'AbleToScale')
  for (const condition of [able, active]) {
    const reason = textAt(condition, 'reason') ?? ''
    if (textAt(condition, 'status') !== 'False' || reason === 'ScalingDisabled') continue
    if (/^FailedGet(?!Scale)|^FailedComputeMetrics|^BackoffBoth|^BackoffDownscale/.test(reason))
      return ready(`no metrics yet (${reason})`)
    // Its target comes in the same release, and it looks every 15 seconds only.
    if (reason === 'FailedGetScale') return waiting('it does not find what it scales yet')
    return failed(
      'autoscaler-failed',
      `it can't scale: ${textAt(condition, 'message') ?? reason}`,
      'correct its target and its metrics',
    )
  }
  return ready(active === undefined ? 'written' : 'active')
}

export function definitionReadiness(object: KubeObject, { picture }: View): Readiness {
  const live = findLive(object, picture.CustomResourceDefinition)
  if (isTrue(live, 'Established')) return ready('established')
  const names = conditionOf(live, 'NamesAccepted')
  if (textAt(names, 'status') !== 'False') return waiting('not established yet')
  return failed(
    'definition-rejected',
    `its names are taken: ${textAt(names, 'message') ?? ''}`,
    'another definition has them; choose other names or remove that one',
  )
}
