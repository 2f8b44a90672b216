import { at, listAt, textAt } from '../../json.ts'
import type { KubeObject } from '../../render/manifest.ts'
import type { Cause } from './codes.ts'
import { configurationCause } from './configuration.ts'
import type { CauseContext, Finding, PodContext } from './context.ts'
import { crashCause } from './crash.ts'
import { imageCause } from './image.ts'
import { lateCause } from './probe.ts'
import { refusedCause } from './refused.ts'
import { scheduleCause } from './schedule.ts'
import { volumeCause } from './volume.ts'
import {
  conditionOf,
  eventsAbout,
  findLive,
  isGoing,
  isObserved,
  newestPods,
} from '../readiness/live.ts'

export type { Cause, CauseCode } from './codes.ts'
export type { CauseContext } from './context.ts'
export { newestPods } from '../readiness/live.ts'

/** An operator tries again by itself, and what it says at first may be of the past: it gets this long to change its mind. */
const OPERATOR_PATIENCE_MS = 10_000
/** The node has ended the pod for reasons of its own; its controller makes another. */
const MOVED =
  /^(Evicted|Preempting|Node|Terminated|Shutdown|OutOf|UnexpectedAdmission|TopologyAffinity)/

/** The cause of a failure of this object or of its newest pods, or undefined while it may still come right. */
export function causeOf(object: KubeObject, context: CauseContext): Cause | undefined {
  const { picture } = context
  if (object.kind === 'SecretStore' || object.kind === 'ExternalSecret')
    return operatorCause(object, context)
  // Its newest pods are known when its controller has seen it; until then they are those of before.
  if (isWorkload(object.kind) && !isObserved(findLive(object, picture[object.kind])))
    return undefined
  const refused = refusedCause(object, context)
  if (refused !== undefined) return refused
  const pods = newestPods(object, picture).filter((pod) => !isGoing(pod))
  for (const pod of pods) {
    const siblings = pods.filter((other) => other !== pod)
    const cause = podCause({ ...context, pod, siblings }, object.kind === 'Job')
    if (cause !== undefined) return cause
  }
  return undefined
}

/** Why it is not ready although nothing is broken, for the moment when time is up. */
export function lateCauseOf(object: KubeObject, context: CauseContext): Cause | undefined {
  const pods = newestPods(object, context.picture).filter((pod) => !isGoing(pod))
  for (const pod of pods) {
    const siblings = pods.filter((other) => other !== pod)
    const late = lateCause({ ...context, pod, siblings })
    if (late !== undefined) return { ...late, ...placeOf(pod, openContainer(pod)) }
  }
  return undefined
}

const WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet'] as const

function isWorkload(kind: string): kind is (typeof WORKLOADS)[number] {
  return (WORKLOADS as readonly string[]).includes(kind)
}

function podCause(context: PodContext, isOfJob: boolean): Cause | undefined {
  const { pod } = context
  const whole = scheduleCause(context) ?? volumeCause(context)
  if (whole !== undefined) return { ...whole, ...placeOf(pod) }
  for (const status of statusesOf(pod)) {
    const found =
      imageCause(status, context) ??
      configurationCause(status, context) ??
      // How often a Job may try is its own affair.
      (isOfJob ? undefined : crashCause(status, context))
    if (found !== undefined) return { ...found, ...placeOf(pod, status) }
  }
  const reason = textAt(pod, 'status', 'reason') ?? ''
  if (textAt(pod, 'status', 'phase') !== 'Failed' || MOVED.test(reason) || isOfJob) return undefined
  const ended: Finding = {
    code: 'pod-failed',
    text: `its pod failed: ${textAt(pod, 'status', 'message') ?? reason}`,
    remedy: 'look at the pod and its node',
  }
  return { ...ended, ...placeOf(pod, openContainer(pod)) }
}

function statusesOf(pod: unknown): readonly unknown[] {
  return [
    ...listAt(pod, 'status', 'initContainerStatuses'),
    ...listAt(pod, 'status', 'containerStatuses'),
  ]
}

/** The first container that is not ready: it has the last words. */
function openContainer(pod: unknown): unknown {
  const isDone = (status: unknown) =>
    at(status, 'ready') === true || textAt(status, 'state', 'terminated', 'reason') === 'Completed'
  return statusesOf(pod).find((status) => !isDone(status))
}

function placeOf(pod: unknown, status?: unknown): Pick<Cause, 'pod' | 'container'> {
  const container = textAt(status, 'name') ?? textAt(pod, 'spec', 'containers', 0, 'name')
  return {
    pod: textAt(pod, 'metadata', 'name') ?? '?',
    ...(container === undefined ? {} : { container }),
  }
}

/** The External Secrets operator says only in an event what the store answered; the condition says that it failed. */
function operatorCause(object: KubeObject, context: CauseContext): Cause | undefined {
  const { picture, sightings } = context
  const { kind } = object
  const { name } = object.metadata
  const live = findLive(
    object,
    kind === 'SecretStore' ? picture.SecretStore : picture.ExternalSecret,
  )
  const condition = conditionOf(live, 'Ready')
  if (textAt(condition, 'status') !== 'False') return undefined
  if (sightings.heldFor(`${kind} ${name} is not ready`) < OPERATOR_PATIENCE_MS) return undefined
  const last = eventsAbout(live, picture).findLast((event) => textAt(event, 'type') === 'Warning')
  const said = `(${textAt(condition, 'reason') ?? ''}: ${textAt(last ?? condition, 'message') ?? ''})`
  const text =
    kind === 'SecretStore'
      ? `the operator can't use this store ${said}`
      : `the operator can't read its values ${said}`
  const remedy =
    kind === 'SecretStore'
      ? 'check its address, role and service account'
      : 'check its path, its keys and what its role may read'
  return { code: 'secret-store-failed', text, remedy, subject: { kind, name } }
}
