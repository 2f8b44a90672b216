import { numberAt, textAt } from '../../json.ts'
import type { KubeObject } from '../../render/manifest.ts'
import { checkManifests } from '../../rules/check.ts'
import { wantedReplicas } from '../strategies/sets.ts'

/** What to do about manifests that may lose requests. */
export type Lint = 'error' | 'warn' | 'off'

/** The rules whose breach loses requests: in a rollout, when a node is drained, or because nobody is reached. */
const ZERO_DOWNTIME = [
  'probes',
  'probe-targets',
  'rolling-update',
  'drain',
  'autoscaling',
  'disruption-budget',
  'service-targets',
  'routes',
]

/** Where a rollout, a drained node or a wrong name would lose requests, each with its remedy. Exceptions that manifests declare count. */
export function lintObjects(objects: readonly KubeObject[]): readonly string[] {
  const found = checkManifests(objects)
    .violations.filter(({ rule }) => ZERO_DOWNTIME.includes(rule))
    .map(({ rule, object, path, message }) => `${object} ${path}: ${message} (${rule})`)
  const single = objects.filter((object) => isSingle(object, objects)).map(named)
  if (single.length === 0) return found
  const line = `${single.join(', ')}: one pod each, so nobody answers while its node is replaced; set 2 replicas or more (single-replica)`
  return [...found, line]
}

function isSingle(object: KubeObject, objects: readonly KubeObject[]): boolean {
  if (object.kind !== 'Deployment') return false
  const scaler = objects.find(
    (other) =>
      other.kind === 'HorizontalPodAutoscaler' &&
      other.metadata.namespace === object.metadata.namespace &&
      textAt(other, 'spec', 'scaleTargetRef', 'name') === object.metadata.name,
  )
  const least =
    scaler === undefined
      ? (wantedReplicas(object) ?? 1)
      : (numberAt(scaler, 'spec', 'minReplicas') ?? 1)
  return least === 1
}

function named({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.name}`
}
