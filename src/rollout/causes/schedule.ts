import { listAt, textAt } from '../../json.ts'
import { conditionOf, eventsAbout, uidOf } from '../readiness/live.ts'
import { missingCause } from './configuration.ts'
import { canEverFit } from './nodes.ts'
import type { Finding, PodContext } from './context.ts'

/** Nodes that are there and could take it when they are empty: others may leave them yet. An autoscaler takes minutes. */
const ROOM_MS = 120_000
/** No node that there is could ever take it, and an autoscaler would have said something by now: it looks every 10 seconds. */
const IMPOSSIBLE_MS = 8_000
const IMPOSSIBLE_IN_CLOUD_MS = 45_000
/** What an autoscaler refuses once it may find a way to on its next round. */
const REFUSED_TWICE_MS = 12_000
const CLAIM_MS = 6_000
/** Reasons that the scheduler gives for a node and that no other pod's end will change. */
const LASTING =
  /didn't match Pod's node affinity\/selector|untolerated taint|node\(s\) didn't satisfy plugin|volume node affinity conflict|Too many pods requested/

/** Why no node takes the pod. It has a clock of its own, since a node may become free, or be made. */
export function scheduleCause(context: PodContext): Finding | undefined {
  const { pod, picture, sightings } = context
  const condition = conditionOf(pod, 'PodScheduled')
  if (textAt(condition, 'status') !== 'False') return undefined
  if (textAt(condition, 'reason') !== 'Unschedulable') return undefined
  const message = textAt(condition, 'message') ?? ''
  const held = sightings.heldFor(`unscheduled ${uidOf(pod)}`)
  const claim = claimCause(message, held, context)
  if (claim !== undefined) return claim
  const events = eventsAbout(pod, picture)
  const isSaid = (...reasons: string[]) =>
    events.some((event) => reasons.includes(textAt(event, 'reason') ?? ''))
  // Somebody makes a node for it: the deadline of the deploy is the only clock then.
  if (isSaid('TriggeredScaleUp', 'Nominated')) return undefined
  const limit = isSaid('NotTriggerScaleUp') ? REFUSED_TWICE_MS : limitFor(message, context)
  if (held < limit) return undefined
  return {
    code: 'unschedulable',
    text: `no node can take its pod: ${tidy(message)}`,
    remedy: 'ask for less, widen its node selector, or add a node',
  }
}

function limitFor(message: string, { pod, witness }: PodContext): number {
  const nodes = witness.read('/api/v1/nodes')
  if (typeof nodes === 'object') {
    const there = listAt(nodes.body, 'items')
    if (canEverFit(pod, there)) return ROOM_MS
    return there.some(isOfCloud) ? IMPOSSIBLE_IN_CLOUD_MS : IMPOSSIBLE_MS
  }
  return LASTING.test(message) ? IMPOSSIBLE_IN_CLOUD_MS : ROOM_MS
}

/** Nodes of a cloud may get company; those that somebody has put up by hand, or kind has, do not. */
function isOfCloud(node: unknown): boolean {
  const provider = (textAt(node, 'spec', 'providerID') ?? '').split(':')[0] ?? ''
  return !['', 'kind', 'k3s', 'minikube', 'docker', 'baremetal', 'kwok'].includes(provider)
}

/** A pod whose claim can't be bound is not scheduled either; the claim tells why. */
function claimCause(message: string, held: number, context: PodContext): Finding | undefined {
  const [, missing] = /persistentvolumeclaim "([^"]+)" not found/.exec(message) ?? []
  if (missing !== undefined)
    return held < CLAIM_MS
      ? undefined
      : {
          code: 'volume-failed',
          text: `there is no PersistentVolumeClaim ${missing}`,
          remedy: 'add it to the release, or correct the name',
        }
  if (!/unbound immediate PersistentVolumeClaims/.test(message)) return missingCause(message)
  const failed = context.picture.Event.filter(
    (event) =>
      textAt(event, 'involvedObject', 'kind') === 'PersistentVolumeClaim' &&
      textAt(event, 'reason') === 'ProvisioningFailed',
  ).findLast((event) => namesClaimOf(context.pod, event))
  const said = textAt(failed, 'message') ?? ''
  const isLasting = /storageclass\S* "[^"]*" not found/i.test(said)
  if (held < (isLasting ? CLAIM_MS : ROOM_MS)) return undefined
  return {
    code: 'volume-failed',
    text: `its volume can't be made: ${said || message}`,
    remedy: 'check the storage class of its claim (kubectl get storageclass)',
  }
}

function namesClaimOf(pod: unknown, event: unknown): boolean {
  const claim = textAt(event, 'involvedObject', 'name') ?? ''
  return listAt(pod, 'spec', 'volumes').some(
    (volume) => textAt(volume, 'persistentVolumeClaim', 'claimName') === claim,
  )
}

/** What preemption would not help with, and claims that nobody has, is no news to the reader. */
function tidy(message: string): string {
  return message
    .replace(/\.? preemption: .*$/, '')
    .replace(/[.,]? no new claims to deallocate.*$/, '')
    .replace(/[.,]$/, '')
}
