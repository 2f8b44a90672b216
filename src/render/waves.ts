import type { KubeObject } from './manifest.ts'

/** Groups of kinds in the order they are written; each wave is ready before the next begins. */
const WAVES = [
  ['Namespace', 'CustomResourceDefinition', 'PriorityClass', 'StorageClass'],
  [
    'ServiceAccount',
    'Role',
    'RoleBinding',
    'ClusterRole',
    'ClusterRoleBinding',
    'Secret',
    'ConfigMap',
    'ResourceQuota',
    'LimitRange',
    'PersistentVolume',
    'PersistentVolumeClaim',
    'NetworkPolicy',
    'Service',
    // Their operator makes the Secret that everything below reads.
    'SecretStore',
    'ExternalSecret',
  ],
  ['StatefulSet'],
  ['Job'],
  ['Deployment', 'DaemonSet', 'Pod', 'CronJob'],
] as const

export type Wave = { readonly name: string; readonly objects: readonly KubeObject[] }

const NAMES = ['namespace', 'configuration', 'stateful workloads', 'jobs', 'workloads', 'routes']

/**
 * Splits objects into waves: what others need comes first. A StatefulSet (the database, where it is inside) comes before the
 * Jobs, which migrate it; Jobs before the workloads that need the result; routes, autoscalers and budgets last. Within a wave
 * the kinds keep the order that they have above.
 */
export function splitWaves(objects: readonly KubeObject[]): readonly Wave[] {
  const waves = NAMES.map((name, index) => ({
    name,
    objects: objects
      .filter((object) => waveOf(object.kind) === index)
      .toSorted((a, b) => rankOf(a.kind, index) - rankOf(b.kind, index)),
  }))
  return waves.filter((wave) => wave.objects.length > 0)
}

function rankOf(kind: string, wave: number): number {
  return (WAVES[wave] as readonly string[] | undefined)?.indexOf(kind) ?? 0
}

function waveOf(kind: string): number {
  const found = WAVES.findIndex((kinds) => (kinds as readonly string[]).includes(kind))
  return found < 0 ? WAVES.length : found
}
