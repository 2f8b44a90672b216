import type { Answer, Cluster, Request } from '../../src/cluster/cluster.ts'
import { at, canonicalJson, textAt } from '../../src/json.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { consequencesOf } from './controllers.ts'

/** A Kubernetes API server in memory, with controllers that act at once. */
export type FakeCluster = Cluster & {
  /** What there is, by path. */
  readonly objects: Map<string, KubeObject>
  /** `PATCH path` and the like for all that was written, dry runs left out. */
  readonly writes: string[]
  /** Asked before every request; an answer of its own is given instead, or it throws. */
  intercept: (request: Request) => Answer | undefined
}

/** What the server serves: path of the group, then plural and kind. */
const SERVED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '/api/v1': {
    namespaces: 'Namespace',
    pods: 'Pod',
    services: 'Service',
    configmaps: 'ConfigMap',
    secrets: 'Secret',
    events: 'Event',
  },
  '/apis/apps/v1': {
    deployments: 'Deployment',
    replicasets: 'ReplicaSet',
    statefulsets: 'StatefulSet',
    daemonsets: 'DaemonSet',
  },
  '/apis/batch/v1': { jobs: 'Job' },
  '/apis/coordination.k8s.io/v1': { leases: 'Lease' },
  '/apis/discovery.k8s.io/v1': { endpointslices: 'EndpointSlice' },
  '/apis/external-secrets.io/v1': {
    secretstores: 'SecretStore',
    externalsecrets: 'ExternalSecret',
  },
}

/** What this server says to anybody who asks what he may do. */
const mayEverything: Answer = {
  status: 201,
  body: {
    status: {
      allowed: true,
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    },
  },
  text: '',
}

export function answer(status: number, body: unknown): Answer {
  return { status, body, text: typeof body === 'string' ? body : JSON.stringify(body) }
}

/** A cluster that has the given objects, by path. Pods of a template with the annotation `breaks` crash. */
export function fakeCluster(given: Readonly<Record<string, KubeObject>> = {}): FakeCluster {
  const objects = new Map<string, KubeObject>()
  const listeners = new Set<{ readonly path: string; readonly onLine: (line: string) => void }>()
  let version = 100
  const tell = (type: string, path: string, object: KubeObject) => {
    const folder = path.slice(0, path.lastIndexOf('/'))
    for (const listener of listeners)
      if (listener.path === folder) listener.onLine(JSON.stringify({ type, object }))
  }
  const put = (path: string, object: KubeObject): KubeObject => {
    version += 1
    const live = withServerFields(object, objects.get(path), version)
    const before = objects.has(path)
    objects.set(path, live)
    tell(before ? 'MODIFIED' : 'ADDED', path, live)
    for (const [name, made] of consequencesOf(live, path)) put(name, made)
    return objects.get(path) ?? live
  }
  const remove = (path: string) => {
    const object = objects.get(path)
    if (object === undefined) return
    objects.delete(path)
    tell('DELETED', path, object)
    for (const [name, other] of [...objects])
      if (name.startsWith(`${path}/`) || isOwnedBy(other, object)) remove(name)
  }
  for (const [path, object] of Object.entries(given)) put(path, object)
  const cluster: FakeCluster = {
    context: 'fake',
    server: 'https://fake',
    objects,
    writes: [],
    intercept: () => undefined,
    call: async (request) => {
      await Promise.resolve()
      const special = cluster.intercept(request)
      if (special !== undefined) return special
      if (request.path.includes('/selfsubject')) return mayEverything
      const isDryRun = request.path.includes('dryRun=All')
      if (request.method !== 'GET' && !isDryRun)
        cluster.writes.push(`${request.method} ${pathOf(request)}`)
      return respond({ objects, put, remove, isDryRun }, request)
    },
    stream: (path, onLine, signal) => {
      const listener = { path: path.split('?')[0] ?? '', onLine }
      listeners.add(listener)
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          listeners.delete(listener)
          reject(new Error('the watch was ended'))
        })
      })
    },
    exec: () => Promise.resolve({ status: 127, stdout: '', stderr: '', message: 'not found' }),
  }
  return cluster
}

type Server = {
  readonly objects: ReadonlyMap<string, KubeObject>
  readonly put: (path: string, object: KubeObject) => KubeObject
  readonly remove: (path: string) => void
  readonly isDryRun: boolean
}

function respond(server: Server, request: Request): Answer {
  const path = pathOf(request)
  const live = server.objects.get(path)
  const body = request.body as KubeObject
  switch (request.method) {
    case 'GET':
      return read(server, path)
    case 'PATCH':
      if (!server.isDryRun) return answer(200, server.put(path, managed(body, request)))
      return answer(200, withServerFields(body, live, 0))
    case 'POST':
      if (server.objects.has(`${path}/${body.metadata.name}`)) return answer(409, 'it is there')
      return answer(201, server.put(`${path}/${body.metadata.name}`, body))
    case 'PUT':
      if (at(body, 'metadata', 'resourceVersion') !== live?.metadata['resourceVersion'])
        return answer(409, 'somebody was faster')
      return answer(200, server.put(path, body))
    case 'DELETE': {
      const uid = textAt(request.body, 'preconditions', 'uid')
      if (live === undefined) return answer(404, 'not found')
      if (uid !== undefined && uid !== live.metadata['uid']) return answer(409, 'another uid')
      server.remove(path)
      return answer(200, {})
    }
    default:
      return request.method satisfies never
  }
}

/** Who applied it, as the server notes it. */
function managed(body: KubeObject, request: Request): KubeObject {
  const manager = new URLSearchParams(request.path.split('?')[1]).get('fieldManager')
  const entry = { manager, operation: 'Apply', apiVersion: body.apiVersion, fieldsV1: {} }
  return { ...body, metadata: { ...body.metadata, managedFields: [entry] } }
}

function read({ objects }: Server, path: string): Answer {
  const served = SERVED[path]
  if (served !== undefined)
    return answer(200, {
      resources: Object.entries(served).map(([name, kind]) => ({
        ...{ name, kind, namespaced: name !== 'namespaces' },
      })),
    })
  const found = objects.get(path)
  if (found !== undefined) return answer(200, found)
  const isFolder = Object.values(SERVED).some((kinds) => (path.split('/').at(-1) ?? '') in kinds)
  if (!isFolder)
    return path.endsWith('/log') ? answer(200, 'boom\n') : answer(404, { message: 'not found' })
  const items = [...objects].filter(([name]) => name.slice(0, name.lastIndexOf('/')) === path)
  return answer(200, {
    metadata: { resourceVersion: '1' },
    items: items.map(([, object]) => object),
  })
}

/** What a server adds for itself: identity, versions, and the status that was there. */
function withServerFields(
  object: KubeObject,
  before: KubeObject | undefined,
  version: number,
): KubeObject {
  const generation = Number(before?.metadata['generation'] ?? 0)
  const same = canonicalJson(before?.['spec']) === canonicalJson(object['spec'])
  return {
    ...(before?.['status'] === undefined ? {} : { status: before['status'] }),
    ...object,
    metadata: {
      ...object.metadata,
      ...annotationsOf(object, before),
      uid: before?.metadata['uid'] ?? object.metadata['uid'] ?? `uid-${version}`,
      resourceVersion: String(version),
      creationTimestamp: '2026-11-21T12:00:00Z',
      generation: before !== undefined && same ? generation : generation + 1,
    },
  }
}

/** Annotations of controllers belong to them: an apply that lacks them leaves them. */
function annotationsOf(object: KubeObject, before: KubeObject | undefined): object {
  const kept = Object.entries(before?.metadata.annotations ?? {}).filter(([key]) =>
    key.startsWith('deployment.kubernetes.io/'),
  )
  if (kept.length === 0) return {}
  return { annotations: { ...Object.fromEntries(kept), ...object.metadata.annotations } }
}

function isOwnedBy(object: KubeObject, owner: KubeObject): boolean {
  return textAt(object, 'metadata', 'ownerReferences', 0, 'uid') === owner.metadata['uid']
}

function pathOf(request: Request): string {
  return request.path.split('?')[0] ?? ''
}
