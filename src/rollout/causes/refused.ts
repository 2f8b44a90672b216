import { codeOfWords } from '../../cluster/refusals.ts'
import { at, textAt } from '../../json.ts'
import type { KubeObject } from '../../render/manifest.ts'
import { conditionOf, eventsAbout, findLive, isGoing, newestReplicaSet } from '../readiness/live.ts'
import type { CauseContext, Finding } from './context.ts'

/** A quota may be used up by pods that are just ending: then room comes by itself. */
const SURE_MS = 2_000
const ROOM_MS = 30_000
const REMEDIES: Readonly<Record<string, string>> = {
  'quota-exceeded': 'ask for less, or have the quota of the namespace raised',
  'admission-denied': 'change what the policy objects to, or have it changed',
  'webhook-unavailable': 'the admission webhook of the cluster does not answer; mend it',
  'service-account-missing': 'add the service account to the release',
  'namespace-missing': 'wait until the namespace is gone, and deploy again',
}

/** Quota, a policy or an admission webhook keeps the controller from making pods. Only Deployments have a condition for that. */
export function refusedCause(object: KubeObject, context: CauseContext): Finding | undefined {
  const { picture, sightings } = context
  const message = refusalOf(object, context)
  if (message === undefined) return undefined
  const held = sightings.heldFor(`refused ${object.kind} ${object.metadata.name}`)
  const code = codeOfWords(message) ?? 'admission-denied'
  const mayPass =
    code === 'webhook-unavailable' || (code === 'quota-exceeded' && picture.Pod.some(isGoing))
  if (held < (mayPass ? ROOM_MS : SURE_MS)) return undefined
  return {
    code,
    text: `the cluster does not let it make pods: ${message}`,
    remedy: REMEDIES[code] ?? 'change what it objects to',
  }
}

function refusalOf(object: KubeObject, { picture }: CauseContext): string | undefined {
  if (object.kind === 'Deployment') {
    const live = findLive(object, picture.Deployment)
    const condition = conditionOf(live, 'ReplicaFailure')
    if (textAt(condition, 'status') !== 'True') return undefined
    const message = textAt(condition, 'message') ?? ''
    // The condition may still be of the revision before.
    const newest = newestReplicaSet(live, picture)
    const own = conditionOf(newest, 'ReplicaFailure')
    return at(newest, 'status') !== undefined && own === undefined ? undefined : message
  }
  if (object.kind !== 'StatefulSet' && object.kind !== 'DaemonSet' && object.kind !== 'Job')
    return undefined
  const live = findLive(object, picture[object.kind])
  const event = eventsAbout(live, picture).findLast(
    (found) => textAt(found, 'reason') === 'FailedCreate',
  )
  // It may have succeeded since: then there are pods.
  return event === undefined || textAt(event, 'type') !== 'Warning'
    ? undefined
    : textAt(event, 'message')
}
