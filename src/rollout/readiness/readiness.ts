import type { Picture } from '../../cluster/watch.ts'
import { at, numberAt, textAt } from '../../json.ts'
import type { KubeObject } from '../../render/manifest.ts'
import { phaseOf } from '../../render/migration.ts'
import { autoscalerReadiness, claimReadiness, definitionReadiness } from './attachments.ts'
import type { CauseCode } from '../causes/codes.ts'
import { serviceReadiness } from './endpoints.ts'
import {
  conditionOf,
  findLive,
  isGoing,
  isObserved,
  isOfRevision,
  isTrue,
  ownedBy,
} from './live.ts'
import { gatewayReadiness, ingressReadiness, routeReadiness } from './routes.ts'
import { failed, type Readiness, ready, type View, waiting } from './verdict.ts'
import { noWitness, type Witness } from './witness.ts'

export { conditionOf, isObserved, newestReplicaSet } from './live.ts'
export type { Readiness } from './verdict.ts'

type Judge = (object: KubeObject, view: View) => Readiness

const JUDGES: Readonly<Record<string, Judge>> = {
  Deployment: deploymentReadiness,
  StatefulSet: statefulSetReadiness,
  DaemonSet: daemonSetReadiness,
  Job: jobReadiness,
  Pod: podReadiness,
  Service: serviceReadiness,
  PersistentVolumeClaim: claimReadiness,
  HorizontalPodAutoscaler: autoscalerReadiness,
  Ingress: ingressReadiness,
  HTTPRoute: routeReadiness,
  Gateway: gatewayReadiness,
  CustomResourceDefinition: definitionReadiness,
  SecretStore: storeReadiness,
  ExternalSecret: externalSecretReadiness,
}

/** Kinds that are watched until they are ready; the others are ready when they are written. */
export function isAwaited(kind: string): boolean {
  return kind in JUDGES
}

/** Kinds that become ready by what a later wave brings: they are waited for at the end only. */
export function isReadyLater(kind: string): boolean {
  return ['Service', 'PersistentVolumeClaim', 'Ingress', 'HTTPRoute'].includes(kind)
}

/**
 * The readiness of `object` as rendered, against the live picture of its namespace. The rules start from kstatus and correct it: a
 * missing `observedGeneration` is not "observed", a Job is ready when it is complete, a Service when all of its ready pods are behind
 * it.
 */
export function readinessOf(
  object: KubeObject,
  picture: Picture,
  witness: Witness = noWitness,
): Readiness {
  const judge = JUDGES[object.kind]
  return judge === undefined ? ready('written') : judge(object, { picture, witness })
}

function deploymentReadiness(object: KubeObject, { picture }: View): Readiness {
  const live = findLive(object, picture.Deployment)
  if (isGoing(live)) return waiting('being deleted')
  if (!isObserved(live)) return waiting('not seen by its controller yet')
  if (textAt(conditionOf(live, 'Progressing'), 'reason') === 'ProgressDeadlineExceeded')
    return failed(
      'not-ready',
      'it made no progress within its progressDeadlineSeconds',
      'look at its pods and their probes, or give it more time',
    )
  if (at(live, 'spec', 'paused') === true)
    return failed('paused', 'it is paused', 'resume it (kubectl rollout resume) and deploy again')
  const wanted = numberAt(live, 'spec', 'replicas') ?? 1
  const count = (key: string) => numberAt(live, 'status', key) ?? 0
  if (wanted === 0 && count('replicas') === 0) return ready('0 pods, as wanted')
  if (count('updatedReplicas') < wanted)
    return waiting(`${count('updatedReplicas')} of ${wanted} pods are of this revision`)
  if (count('replicas') > count('updatedReplicas'))
    return waiting(`${count('replicas') - count('updatedReplicas')} pods of the old revision left`)
  if (count('availableReplicas') < wanted)
    return waiting(`${count('availableReplicas')} of ${wanted} pods available`)
  if (count('updatedReplicas') > wanted)
    return waiting(`${count('updatedReplicas') - wanted} pods too many`)
  return ready(`${wanted} of ${wanted} pods available`)
}

function statefulSetReadiness(object: KubeObject, { picture }: View): Readiness {
  const live = findLive(object, picture.StatefulSet)
  if (isGoing(live)) return waiting('being deleted')
  if (!isObserved(live)) return waiting('not seen by its controller yet')
  const wanted = numberAt(live, 'spec', 'replicas') ?? 1
  const partition = numberAt(live, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0
  const count = (key: string) => numberAt(live, 'status', key) ?? 0
  const old = ownedBy(live, picture.Pod).filter((pod) => !isOfRevision(pod, live)).length
  const onDelete = textAt(live, 'spec', 'updateStrategy', 'type') === 'OnDelete'
  const updated = wanted - Math.max(0, partition)
  if (!onDelete && count('updatedReplicas') < updated)
    return waiting(`${count('updatedReplicas')} of ${updated} pods are of this revision`)
  if (!onDelete && old > wanted - Math.max(0, updated))
    return waiting(`${old} pods of the old revision left`)
  if (count('replicas') > wanted) return waiting(`${count('replicas') - wanted} pods too many`)
  if (count('readyReplicas') < wanted)
    return waiting(`${count('readyReplicas')} of ${wanted} pods ready`)
  if ((numberAt(live, 'status', 'availableReplicas') ?? wanted) < wanted)
    return waiting(`${count('availableReplicas')} of ${wanted} pods available`)
  // OnDelete: somebody else decides when its pods go.
  const kept = onDelete && old > 0 ? `; ${old} of an older revision, as OnDelete wants` : ''
  return ready(`${wanted} of ${wanted} pods ready${kept}`)
}

function daemonSetReadiness(object: KubeObject, { picture }: View): Readiness {
  const live = findLive(object, picture.DaemonSet)
  if (isGoing(live)) return waiting('being deleted')
  if (!isObserved(live)) return waiting('not seen by its controller yet')
  const count = (key: string) => numberAt(live, 'status', key) ?? 0
  const wanted = count('desiredNumberScheduled')
  const onDelete = textAt(live, 'spec', 'updateStrategy', 'type') === 'OnDelete'
  const updated = onDelete ? wanted : count('updatedNumberScheduled')
  const done = Math.min(updated, count('numberAvailable'))
  if (count('numberMisscheduled') > 0)
    return waiting(`${count('numberMisscheduled')} pods on nodes where they should not be`)
  return done < wanted ? waiting(`${done} of ${wanted} pods available`) : ready(`${wanted} pods`)
}

/** `SuccessCriteriaMet` and `FailureTarget` come before `Complete` and `Failed`, while the last pods still end. */
function jobReadiness(object: KubeObject, { picture }: View): Readiness {
  const live = findLive(object, picture.Job)
  if (live === undefined) return waiting('not there yet')
  const broken = ['Failed', 'FailureTarget'].find((type) => isTrue(live, type))
  if (broken !== undefined) {
    const condition = conditionOf(live, broken)
    const why = textAt(condition, 'message') ?? textAt(condition, 'reason') ?? ''
    return failed(jobCode(object), `it failed: ${why}`, 'its log tells why; mend that and deploy')
  }
  if (isTrue(live, 'Complete')) return ready('complete')
  if (isTrue(live, 'SuccessCriteriaMet')) return ready('complete, its last pods are ending')
  if (at(live, 'spec', 'suspend') === true) return ready('suspended, as wanted')
  return waiting('running')
}

/** A Job that moves the database from one schema to the next says so. */
export function jobCode(object: KubeObject): CauseCode {
  const { labels = {}, annotations = {}, name } = object.metadata
  const says =
    labels['app.kubernetes.io/component'] === 'migration' ||
    phaseOf(object) !== undefined ||
    annotations['todo-deploy.dev/wave'] === 'migration' ||
    /(^|-)migrat(e|ion|ions)(-|$)/.test(name)
  return says ? 'migration-failed' : 'job-failed'
}

function podReadiness(object: KubeObject, { picture }: View): Readiness {
  const live = findLive(object, picture.Pod)
  const phase = textAt(live, 'status', 'phase')
  if (live === undefined || isGoing(live)) return waiting('not there yet')
  if (phase === 'Succeeded') return ready('ended well')
  return isTrue(live, 'Ready') ? ready('ready') : waiting(phase ?? 'not started yet')
}

/** A store says no generation: a changed one may still be called ready for the moment that its operator needs to look. */
function storeReadiness(object: KubeObject, { picture }: View): Readiness {
  const condition = conditionOf(findLive(object, picture.SecretStore), 'Ready')
  if (condition === undefined) return waiting('not seen by its operator yet')
  const said = textAt(condition, 'reason') ?? ''
  return textAt(condition, 'status') === 'True' ? ready(said) : waiting(said)
}

/** Ready, and so for the newest generation, which stands before the dash in what was synced. */
function externalSecretReadiness(object: KubeObject, { picture }: View): Readiness {
  const live = findLive(object, picture.ExternalSecret)
  const [synced] = (textAt(live, 'status', 'syncedResourceVersion') ?? '').split('-')
  const isNewest = synced === String(numberAt(live, 'metadata', 'generation'))
  const condition = conditionOf(live, 'Ready')
  if (textAt(condition, 'status') === 'False') return waiting(textAt(condition, 'reason') ?? '')
  if (condition === undefined || !isNewest) return waiting('not seen by its operator yet')
  return ready(textAt(condition, 'reason') ?? '')
}
