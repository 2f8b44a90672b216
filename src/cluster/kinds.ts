import type { KubeObject } from '../render/manifest.ts'

/** The kinds whose state tells whether a namespace works. `%` stands for the namespace. */
const ALWAYS = {
  Deployment: '/apis/apps/v1/%/deployments',
  ReplicaSet: '/apis/apps/v1/%/replicasets',
  StatefulSet: '/apis/apps/v1/%/statefulsets',
  DaemonSet: '/apis/apps/v1/%/daemonsets',
  Job: '/apis/batch/v1/%/jobs',
  Pod: '/api/v1/%/pods',
  EndpointSlice: '/apis/discovery.k8s.io/v1/%/endpointslices',
} as const

/** They explain, and are not needed to know whether something is ready. */
const HELPFUL = { Event: '/api/v1/%/events' } as const

/** Looked at only where a release has one: not every cluster knows them, and not every login may see them. */
const WHERE_USED = {
  PersistentVolumeClaim: '/api/v1/%/persistentvolumeclaims',
  HorizontalPodAutoscaler: '/apis/autoscaling/v2/%/horizontalpodautoscalers',
  Ingress: '/apis/networking.k8s.io/v1/%/ingresses',
  HTTPRoute: '/apis/gateway.networking.k8s.io/v1/%/httproutes',
  Gateway: '/apis/gateway.networking.k8s.io/v1/%/gateways',
  SecretStore: '/apis/external-secrets.io/v1/%/secretstores',
  ExternalSecret: '/apis/external-secrets.io/v1/%/externalsecrets',
  CustomResourceDefinition: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
} as const

export type WatchedKind = keyof typeof ALWAYS | keyof typeof HELPFUL | keyof typeof WHERE_USED

/** What is in a namespace now, by kind. */
export type Picture = Readonly<Record<WatchedKind, readonly unknown[]>>

const EVERY: Readonly<Record<WatchedKind, string>> = { ...ALWAYS, ...HELPFUL, ...WHERE_USED }

export const emptyPicture = Object.fromEntries(
  Object.keys(EVERY).map((kind) => [kind, []]),
) as unknown as Picture

/** A namespace, and what somebody looks for in it: that tells which further kinds are looked at. */
export type Place = { readonly namespace: string; readonly objects?: readonly KubeObject[] }

/** One list to read, and to watch. */
export type Source = {
  readonly kind: WatchedKind
  readonly path: string
  /** Without these there is no verdict: a login that may not list them is refused. */
  readonly isNeeded: boolean
  /** The objects of the release, to be asked for one by one where the list may not be read. */
  readonly names: readonly string[]
}

/** What to read for a place: each kind once in each namespace that the objects are in. */
export function sourcesOf({ namespace, objects = [] }: Place): readonly Source[] {
  const namespaces = [
    ...new Set([namespace, ...objects.flatMap(({ metadata }) => metadata.namespace ?? [])]),
  ]
  const used = Object.keys(WHERE_USED).filter((kind) =>
    objects.some((object) => object.kind === kind),
  )
  const kinds = [...Object.keys(ALWAYS), ...Object.keys(HELPFUL), ...used] as WatchedKind[]
  return kinds.flatMap((kind) => {
    const path = EVERY[kind]
    const places = path.includes('%') ? namespaces : ['']
    return places.map((place) => ({
      kind,
      path: path.replace('%', `namespaces/${place}`),
      isNeeded: kind in ALWAYS,
      names: objects
        .filter((object) => object.kind === kind)
        .filter(({ metadata }) => place === '' || (metadata.namespace ?? namespace) === place)
        .map(({ metadata }) => metadata.name),
    }))
  })
}
