import { at, isObject, listAt, textAt } from '../json.ts'
import { type KubeObject, podSpecOf } from '../render/manifest.ts'

/** Everything that one environment consists of, as the rules look at it. */
export type Manifests = {
  readonly objects: readonly KubeObject[]
  /** What runs pods. */
  readonly workloads: readonly Workload[]
}

export type Workload = {
  readonly object: KubeObject
  /** The pod's specification, and its path inside the object. */
  readonly pod: unknown
  readonly path: string
  /** Labels of its pods. */
  readonly labels: Readonly<Record<string, string>>
  /** Pods that are replaced when they end; those of a Job are not. */
  readonly isLongRunning: boolean
  readonly containers: readonly Container[]
}

export type Container = {
  readonly name: string
  readonly spec: unknown
  readonly path: string
  /** A `sidecar` is an init container that goes on beside the main ones. */
  readonly role: 'main' | 'init' | 'sidecar'
}

const LONG_RUNNING = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet']

export function indexManifests(objects: readonly KubeObject[]): Manifests {
  return { objects, workloads: objects.flatMap((object) => workloadOf(object) ?? []) }
}

export function ofKind(manifests: Manifests, ...kinds: readonly string[]): readonly KubeObject[] {
  return manifests.objects.filter(({ kind }) => kinds.includes(kind))
}

/** Each container that stays as long as its pod, with its workload. */
export function longRunning(
  manifests: Manifests,
): readonly { readonly workload: Workload; readonly container: Container }[] {
  return manifests.workloads
    .filter(({ isLongRunning }) => isLongRunning)
    .flatMap((workload) =>
      workload.containers
        .filter(({ role }) => role !== 'init')
        .map((container) => ({ workload, container })),
    )
}

/** Labels, or the data of a ConfigMap: what has text on both sides. */
export function textsAt(
  value: unknown,
  ...keys: readonly string[]
): Readonly<Record<string, string>> {
  const found = at(value, ...keys)
  if (!isObject(found)) return {}
  return Object.fromEntries(
    Object.entries(found).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  )
}

function workloadOf(object: KubeObject): Workload | undefined {
  const pod = podSpecOf(object)
  if (!isObject(pod)) return undefined
  const template =
    object.kind === 'Pod'
      ? []
      : object.kind === 'CronJob'
        ? ['spec', 'jobTemplate', 'spec', 'template']
        : ['spec', 'template']
  const path = [...template, 'spec'].join('.')
  return {
    object,
    pod,
    path,
    labels: textsAt(object, ...template, 'metadata', 'labels'),
    isLongRunning: LONG_RUNNING.includes(object.kind),
    containers: ['initContainers', 'containers'].flatMap((key) =>
      listAt(pod, key).map((spec) => containerOf(spec, key, path)),
    ),
  }
}

function containerOf(spec: unknown, key: string, path: string): Container {
  const name = textAt(spec, 'name') ?? '?'
  const early = textAt(spec, 'restartPolicy') === 'Always' ? 'sidecar' : 'init'
  return {
    name,
    spec,
    path: `${path}.${key}[${name}]`,
    role: key === 'containers' ? 'main' : early,
  }
}
