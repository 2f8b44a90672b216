import { isObject, listAt, textAt } from '../../json.ts'
import { eventsAbout, timesOf, uidOf } from '../readiness/live.ts'
import { missingCause } from './configuration.ts'
import type { Finding, PodContext } from './context.ts'

/** A volume may be slow: another node has to let go of it first. */
const SLOW_MS = 90_000
/** What no waiting mends is believed when the kubelet has said it as often: it tries again after 0.5, 1, 2 seconds. */
const SURE_TIMES = 3
const LASTING =
  /hostPath type check failed|does not exist|unknown filesystem type|wrong fs type|bad option|not a directory|no such file or directory|access denied by server/i

/** Why a pod's volumes are not there. */
export function volumeCause(context: PodContext): Finding | undefined {
  const { pod, picture, sightings } = context
  if (!isWaitingToStart(pod)) return undefined
  const events = eventsAbout(pod, picture).filter((event) =>
    ['FailedMount', 'FailedAttachVolume', 'FailedMapVolume'].includes(
      textAt(event, 'reason') ?? '',
    ),
  )
  if (events.length === 0) return undefined
  const held = sightings.heldFor(`volumes of ${uidOf(pod)}`)
  for (const event of events) {
    const message = textAt(event, 'message') ?? ''
    const isSure = timesOf(event) >= SURE_TIMES
    const missing = missingCause(message)
    // It may just be made: whoever makes it is asked too.
    if (missing !== undefined && isSure && isStillMissing(message, context)) return missing
    if ((isSure && LASTING.test(message) && missing === undefined) || held >= SLOW_MS)
      return {
        code: 'volume-failed',
        text: `its volume can't be mounted: ${tidy(message)}`,
        remedy: 'check the volume, its driver and its node',
      }
  }
  return undefined
}

function isStillMissing(message: string, { pod, witness }: PodContext): boolean {
  const [, kind = '', name] = /(secret|configmap) "([^"]+)" not found/i.exec(message) ?? []
  if (name === undefined) return true
  const namespace = textAt(pod, 'metadata', 'namespace') ?? 'default'
  const plural = kind.toLowerCase() === 'secret' ? 'secrets' : 'configmaps'
  return !isObject(witness.read(`/api/v1/namespaces/${namespace}/${plural}/${name}`))
}

function isWaitingToStart(pod: unknown): boolean {
  return (
    textAt(pod, 'status', 'phase') === 'Pending' &&
    listAt(pod, 'status', 'conditions').some(
      (condition) =>
        textAt(condition, 'type') === 'PodScheduled' && textAt(condition, 'status') === 'True',
    )
  )
}

function tidy(message: string): string {
  return message.replace(/^MountVolume\.\S+ failed for volume /, '').replaceAll(/\s+/g, ' ')
}
