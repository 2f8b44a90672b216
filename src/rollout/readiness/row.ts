import { counted } from '../../counted.ts'
import type { Picture } from '../../cluster/watch.ts'
import { listAt, numberAt, textAt } from '../../json.ts'
import { type KubeObject, nameOf } from '../../render/manifest.ts'
import type { PodCounts, Row } from '../../world.ts'
import { conditionOf, eventsAbout, findLive, isGoing, isTrue, newestPods } from './live.ts'
import { readinessOf } from './readiness.ts'
import type { Readiness } from './verdict.ts'

/** Where its numbers of pods stand. `updated`: of the newest revision. */
const COUNTS: Readonly<Record<string, Readonly<Record<keyof PodCounts, readonly string[]>>>> = {
  Deployment: {
    desired: ['spec', 'replicas'],
    updated: ['status', 'updatedReplicas'],
    ready: ['status', 'readyReplicas'],
    available: ['status', 'availableReplicas'],
  },
  StatefulSet: {
    desired: ['spec', 'replicas'],
    updated: ['status', 'updatedReplicas'],
    ready: ['status', 'readyReplicas'],
    available: ['status', 'availableReplicas'],
  },
  DaemonSet: {
    desired: ['status', 'desiredNumberScheduled'],
    updated: ['status', 'updatedNumberScheduled'],
    ready: ['status', 'numberReady'],
    available: ['status', 'numberAvailable'],
  },
}

/** Kinds that run something of their own. */
const WORKLOADS = [...Object.keys(COUNTS), 'Job', 'Pod']

/** One object as people see it while it is waited for. */
export function rowOf(object: KubeObject, readiness: Readiness, picture: Picture): Row {
  const { state } = readiness
  // Others' words may have lines of their own; a row is one.
  const detail = readiness.detail.replaceAll(/\s+/g, ' ').trim()
  const pods = countsOf(object, picture)
  const isWorkload = WORKLOADS.includes(object.kind)
  return {
    state,
    name: nameOf(object),
    short: `${object.kind}/${object.metadata.name}`,
    detail,
    doing: state === 'waiting' && isWorkload ? doingOf(object, detail, picture) : detail,
    ...(isWorkload ? { isWorkload } : {}),
    ...(pods === undefined ? {} : { pods }),
  }
}

/** Everything that runs pods, as it is now. */
export function workloadRows(objects: readonly KubeObject[], picture: Picture): readonly Row[] {
  return objects
    .filter(({ kind }) => WORKLOADS.includes(kind))
    .map((object) => rowOf(object, readinessOf(object, picture), picture))
}

function countsOf(object: KubeObject, picture: Picture): PodCounts | undefined {
  const places = COUNTS[object.kind]
  const list = (picture as Readonly<Record<string, readonly unknown[]>>)[object.kind]
  const live = list === undefined ? undefined : findLive(object, list)
  if (places === undefined || live === undefined) return undefined
  const count = (path: readonly string[]) => numberAt(live, ...path) ?? 0
  const { desired, updated, ready, available } = places
  return {
    desired: count(desired),
    updated: count(updated),
    ready: count(ready),
    available: count(available),
  }
}

/** What the pods that are least far do now, in words. */
function doingOf(object: KubeObject, detail: string, picture: Picture): string {
  const pods = newestPods(object, picture).filter((pod) => !isGoing(pod))
  if (pods.length === 0) return detail
  const [first] = pods
    .map((pod) => stageOf(pod, picture))
    .toSorted((a, b) => STAGES.indexOf(a.stage) - STAGES.indexOf(b.stage))
  return first === undefined || first.stage === 'ready' ? detail : first.words
}

const STAGES = ['broken', 'node', 'pull', 'init', 'start', 'probe', 'ready'] as const

/** Words of the kubelet for what does not come right by itself. */
const BROKEN: Readonly<Record<string, string>> = {
  CrashLoopBackOff: 'crashing',
  ImagePullBackOff: "image can't be pulled",
  ErrImagePull: "image can't be pulled",
  InvalidImageName: "image can't be pulled",
  CreateContainerConfigError: 'configuration is missing',
  CreateContainerError: "container can't be made",
  RunContainerError: "container can't be started",
}

type PodStage = { readonly stage: (typeof STAGES)[number]; readonly words: string }

function stageOf(pod: unknown, picture: Picture): PodStage {
  const inits = listAt(pod, 'status', 'initContainerStatuses')
  const containers = listAt(pod, 'status', 'containerStatuses')
  const reasons = [...inits, ...containers].map((one) => textAt(one, 'state', 'waiting', 'reason'))
  const broken = reasons.map((reason) => BROKEN[reason ?? '']).find((words) => words !== undefined)
  if (broken !== undefined) return { stage: 'broken', words: broken + restartsOf(containers) }
  if (isTrue(pod, 'Ready')) return { stage: 'ready', words: 'ready' }
  if (conditionOf(pod, 'PodScheduled') === undefined || !isTrue(pod, 'PodScheduled'))
    return { stage: 'node', words: 'waiting for a node' }
  const isUp = (one: unknown) => textAt(one, 'state', 'running', 'startedAt') !== undefined
  if (containers.length > 0 && containers.every(isUp))
    return { stage: 'probe', words: `waiting for probe${restartsOf(containers)}` }
  if (isPulling(pod, picture)) return { stage: 'pull', words: 'pulling image' }
  return inits.some(isUp)
    ? { stage: 'init', words: 'preparing (init containers)' }
    : { stage: 'start', words: `starting${restartsOf(containers)}` }
}

/** Its images are pulled one after the other: each "Pulling" is answered by a "Pulled". */
function isPulling(pod: unknown, picture: Picture): boolean {
  const reasons = eventsAbout(pod, picture).map((event) => textAt(event, 'reason'))
  const count = (wanted: string) => reasons.filter((reason) => reason === wanted).length
  return count('Pulling') > count('Pulled')
}

function restartsOf(containers: readonly unknown[]): string {
  const count = containers.reduce<number>(
    (sum, status) => sum + (numberAt(status, 'restartCount') ?? 0),
    0,
  )
  if (count === 0) return ''
  return `, ${counted(count, 'restart')}`
}
