import { UserError } from '../errors.ts'
import { isObject, listAt, parseJson, textAt } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'
import { type Cluster, reasonOf } from './cluster.ts'

/** The kinds whose state tells whether a namespace works. */
const KINDS = {
  Deployment: '/apis/apps/v1/%/deployments',
  ReplicaSet: '/apis/apps/v1/%/replicasets',
  StatefulSet: '/apis/apps/v1/%/statefulsets',
  DaemonSet: '/apis/apps/v1/%/daemonsets',
  Job: '/apis/batch/v1/%/jobs',
  Pod: '/api/v1/%/pods',
  EndpointSlice: '/apis/discovery.k8s.io/v1/%/endpointslices',
} as const

/** Kinds of the External Secrets operator. Not every cluster knows them, so they are looked at only where a release has one. */
const OPERATOR_KINDS = {
  SecretStore: '/apis/external-secrets.io/v1/%/secretstores',
  ExternalSecret: '/apis/external-secrets.io/v1/%/externalsecrets',
} as const

export type WatchedKind = keyof typeof KINDS | keyof typeof OPERATOR_KINDS

/** What is in a namespace now, by kind. */
export type Picture = Readonly<Record<WatchedKind, readonly unknown[]>>

export const emptyPicture: Picture = {
  Deployment: [],
  ReplicaSet: [],
  StatefulSet: [],
  DaemonSet: [],
  Job: [],
  Pod: [],
  EndpointSlice: [],
  SecretStore: [],
  ExternalSecret: [],
}

export type NamespaceWatch = {
  picture: () => Picture
  /** Resolves at the next change, or after `milliseconds` without one. */
  changed: (milliseconds: number) => Promise<void>
  close: () => void
}

const WATCH_TIMEOUT_S = 240
const RECONNECT_MS = 1_000

/** A namespace, and what somebody looks for in it: that tells whether the kinds of an operator are looked at. */
export type Place = { readonly namespace: string; readonly objects?: readonly KubeObject[] }

/** Lists each kind once and watches it from there; a watch that ends or is too old lists again. */
export async function watchNamespace(
  place: Place,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<NamespaceWatch> {
  const closing = new AbortController()
  const ending = AbortSignal.any([signal, closing.signal])
  const stores = new Map<string, Map<string, unknown>>()
  let wake: () => void = () => undefined
  await Promise.all(
    pathsOf(place).map(async ([kind, path]) => {
      const store = new Map<string, unknown>()
      stores.set(kind, store)
      const version = await list(path, store, cluster)
      void follow(
        { path, store, version, cluster },
        () => {
          wake()
        },
        ending,
      )
    }),
  )
  return {
    picture: () => pictureOf([...stores].map(([kind, store]) => [kind, [...store.values()]])),
    changed: (milliseconds) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      }),
    close: () => {
      closing.abort()
    },
  }
}

/** One picture of a namespace, without a watch. */
export async function listNamespace(place: Place, cluster: Cluster): Promise<Picture> {
  const lists = await Promise.all(
    pathsOf(place).map(async ([kind, path]) => {
      const store = new Map<string, unknown>()
      await list(path, store, cluster)
      return [kind, [...store.values()]] as const
    }),
  )
  return pictureOf(lists)
}

function pathsOf({ namespace, objects = [] }: Place): [string, string][] {
  const wanted = Object.entries(OPERATOR_KINDS).filter(([kind]) =>
    objects.some((object) => object.kind === kind),
  )
  return [...Object.entries(KINDS), ...wanted].map(([kind, path]) => [
    kind,
    path.replace('%', `namespaces/${namespace}`),
  ])
}

function pictureOf(lists: readonly (readonly [string, readonly unknown[]])[]): Picture {
  return { ...emptyPicture, ...Object.fromEntries(lists) }
}

async function list(path: string, store: Map<string, unknown>, cluster: Cluster): Promise<string> {
  const answer = await cluster.call({ method: 'GET', path })
  if (answer.status !== 200)
    throw new UserError(`This login can't see ${path.split('/').at(-1) ?? ''}: ${reasonOf(answer)}`)
  store.clear()
  for (const item of listAt(answer.body, 'items')) store.set(uidOf(item), item)
  return textAt(answer.body, 'metadata', 'resourceVersion') ?? ''
}

type Watched = {
  readonly path: string
  readonly store: Map<string, unknown>
  readonly cluster: Cluster
}

async function follow(
  watched: Watched & { readonly version: string },
  onChange: () => void,
  signal: AbortSignal,
): Promise<void> {
  const { path, store, cluster } = watched
  let version = watched.version
  for (;;) {
    // A cut connection or a watch this login may not have: listing again serves both.
    const next = await readEvents({ ...watched, version }, onChange, signal).catch(() => 'stale')
    if (signal.aborted) return
    if (next !== 'stale') {
      version = next
      continue
    }
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS))
    // The server may be away; the waiter's deadline decides how long that may last.
    version = await list(path, store, cluster).catch(() => version)
    onChange()
  }
}

/** Follows one watch to its end. Returns the version to go on from, or `stale` where the list must be read again. */
async function readEvents(
  { path, store, cluster, version }: Watched & { readonly version: string },
  onChange: () => void,
  signal: AbortSignal,
): Promise<string> {
  const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=${WATCH_TIMEOUT_S}&resourceVersion=${version}`
  let reached = version
  await cluster.stream(
    `${path}?${query}`,
    (line) => {
      const event = parseJson(line, 'a watch event')
      const object = isObject(event) ? event['object'] : undefined
      const type = textAt(event, 'type')
      // A refusal comes as a lone Status: no event at all.
      const isStale = type === undefined || type === 'ERROR'
      reached = isStale ? 'stale' : (textAt(object, 'metadata', 'resourceVersion') ?? reached)
      if (type === 'ADDED' || type === 'MODIFIED') store.set(uidOf(object), object)
      if (type === 'DELETED') store.delete(uidOf(object))
      if (type !== 'BOOKMARK') onChange()
    },
    signal,
  )
  return reached
}

function uidOf(object: unknown): string {
  return textAt(object, 'metadata', 'uid') ?? ''
}
