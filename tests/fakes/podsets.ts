import type { Answer, Cluster, Request } from '../../src/cluster/cluster.ts'
import { emptyPicture, type NamespaceWatch, type Picture } from '../../src/cluster/watch.ts'
import { at, isObject, listAt, numberAt, textAt } from '../../src/json.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { labelsIn, matches } from '../../src/rollout/strategies/labels.ts'
import { answer } from './cluster.ts'

/** A namespace with Deployments and Services whose controllers act at once: enough to see where requests go. */
export type FakeSets = {
  readonly cluster: Cluster
  readonly watch: NamespaceWatch
  /** What there is, by plural and name. */
  readonly objects: Map<string, KubeObject>
  /** All writes in order: `PATCH services/web`, and what it meant: where requests go afterwards. */
  readonly log: string[]
  /** Asked before every request; an answer of its own is given instead. */
  intercept: (request: Request) => Answer | undefined
  /** Restarts of the pods of a Deployment. */
  readonly restarts: Map<string, number>
  /** Pods of a Deployment that do not get ready. */
  readonly unready: Set<string>
  /** Deployments whose containers have just ended, and are not begun again yet. */
  readonly ended: Set<string>
  /** Pods that take requests of a Service, by their Deployment. */
  taking: (service: string) => Readonly<Record<string, number>>
}

const NAMESPACE = 'todo'
const PATH = /\/namespaces\/todo\/([a-z]+)(?:\/([^/?]+))?(\/proxy\/[^?]*)?/
const SERVED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '/api/v1': { services: 'Service', configmaps: 'ConfigMap' },
  '/apis/apps/v1': { deployments: 'Deployment' },
}

export function fakeSets(given: readonly KubeObject[] = []): FakeSets {
  const objects = new Map<string, KubeObject>()
  const restarts = new Map<string, number>()
  const state = { restarts, unready: new Set<string>(), ended: new Set<string>() }
  let version = 1
  const pods = () => listOf(objects, 'deployments').flatMap((one) => podsOf(one, state))
  const taking = (service: string) => {
    const selector = labelsIn(at(objects.get(`services/${service}`), 'spec', 'selector'))
    const counts: Record<string, number> = {}
    for (const pod of pods())
      if (isReady(pod) && matches(selector, labelsIn(at(pod, 'metadata', 'labels')))) {
        const owner = textAt(pod, 'owner') ?? ''
        counts[owner] = (counts[owner] ?? 0) + 1
      }
    return counts
  }
  const put = (key: string, object: KubeObject): KubeObject => {
    version += 1
    const metadata = { uid: `uid-of-${key}`, ...object.metadata, generation: version }
    const live = { ...object, metadata: { ...metadata, resourceVersion: String(version) } }
    objects.set(key, live)
    return live
  }
  for (const object of given) put(`${pluralOf(object)}/${object.metadata.name}`, object)
  const fake: FakeSets = {
    objects,
    ...state,
    taking,
    log: [],
    intercept: () => undefined,
    cluster: {
      context: 'fake',
      server: 'https://fake',
      call: async (request) => {
        await Promise.resolve()
        const special = fake.intercept(request)
        if (special !== undefined) return special
        const result = respond({ objects, put, pods }, request)
        // A review asks too, and writes nothing.
        if (request.method === 'GET' || request.method === 'POST') return result
        const [, plural = '', name = ''] = PATH.exec(request.path) ?? []
        const where = plural === 'services' ? ` → ${JSON.stringify(taking(name))}` : ''
        fake.log.push(`${request.method} ${plural}/${name}${where}`)
        return result
      },
      stream: () => Promise.reject(new Error('nobody watches here')),
      exec: () => Promise.reject(new Error('nobody runs anything here')),
    },
    watch: {
      picture: () => pictureOf(objects, pods()),
      isCurrent: () => true,
      changed: () => Promise.resolve(),
      close: () => undefined,
    },
  }
  return fake
}

type Server = {
  readonly objects: Map<string, KubeObject>
  readonly put: (key: string, object: KubeObject) => KubeObject
  readonly pods: () => readonly unknown[]
}

function respond({ objects, put, pods }: Server, request: Request): Answer {
  const [path = '', query = ''] = request.path.split('?')
  const served = SERVED[path]
  if (served !== undefined) {
    const resources = Object.entries(served).map(([name, kind]) => ({
      name,
      kind,
      namespaced: true,
    }))
    return answer(200, { resources })
  }
  const [, plural = '', name, proxied] = PATH.exec(path) ?? []
  if (proxied !== undefined) return answer(200, 'ok')
  const key = `${plural}/${name ?? ''}`
  const live = objects.get(key)
  if (request.method === 'DELETE') return answer(objects.delete(key) ? 200 : 404, {})
  if (request.method === 'PATCH') return answer(200, put(key, patched(request, live)))
  if (name !== undefined) {
    if (live === undefined) return answer(404, { message: 'not found' })
    return answer(200, plural === 'deployments' ? withStatus(live) : live)
  }
  if (plural === 'pods') {
    const selector = new URLSearchParams(query).get('labelSelector') ?? ''
    const wanted: unknown = Object.fromEntries(selector.split(',').map((one) => one.split('=')))
    const items = pods().filter((pod) =>
      matches(labelsIn(wanted), labelsIn(at(pod, 'metadata', 'labels'))),
    )
    return answer(200, { items })
  }
  if (plural === 'replicasets')
    return answer(200, { items: listOf(objects, 'deployments').map(replicaSetOf) })
  return answer(200, { items: listOf(objects, plural).map(withStatus) })
}

/** A merge patch changes what it names; an apply replaces, but for replicas that somebody else counts. */
function patched(request: Request, live: KubeObject | undefined): KubeObject {
  const body = request.body as KubeObject
  if (request.contentType?.includes('merge-patch') === true && live !== undefined)
    return { ...live, spec: { ...part(live['spec']), ...part(body['spec']) } }
  const replicas = numberAt(live, 'spec', 'replicas')
  const kept = body.kind === 'Deployment' && replicas !== undefined ? { replicas } : {}
  return { ...body, spec: { ...kept, ...part(body['spec']) } }
}

function withStatus(object: KubeObject): KubeObject {
  if (object.kind !== 'Deployment') return object
  const replicas = numberAt(object, 'spec', 'replicas') ?? 1
  const { generation } = object.metadata
  const counts = { replicas, updatedReplicas: replicas, readyReplicas: replicas }
  const status = { observedGeneration: generation, availableReplicas: replicas, ...counts }
  const conditions = [{ type: 'Available', status: 'True' }]
  const annotations = { ...object.metadata.annotations, 'deployment.kubernetes.io/revision': '1' }
  return {
    ...object,
    metadata: { ...object.metadata, annotations },
    status: { ...status, conditions },
  }
}

function replicaSetOf(deployment: KubeObject): unknown {
  const { name, uid, namespace } = deployment.metadata
  const replicas = numberAt(deployment, 'spec', 'replicas') ?? 1
  return {
    metadata: {
      name: `${name}-rs`,
      namespace,
      uid: `uid-of-${name}-rs`,
      annotations: { 'deployment.kubernetes.io/revision': '1' },
      labels: { 'pod-template-hash': `hash-of-${name}` },
      ownerReferences: [{ kind: 'Deployment', name, uid }],
    },
    spec: { replicas },
    status: { readyReplicas: replicas },
  }
}

function podsOf(
  deployment: KubeObject,
  { restarts, unready, ended }: Pick<FakeSets, 'restarts' | 'unready' | 'ended'>,
): readonly unknown[] {
  const { name } = deployment.metadata
  const labels = labelsIn(at(deployment, 'spec', 'template', 'metadata', 'labels'))
  const status = unready.has(name) || ended.has(name) ? 'False' : 'True'
  return Array.from({ length: numberAt(deployment, 'spec', 'replicas') ?? 1 }, (_none, index) => ({
    owner: name,
    metadata: {
      name: `${name}-${index}`,
      namespace: NAMESPACE,
      uid: `uid-of-${name}-${index}`,
      labels: { ...labels, 'pod-template-hash': `hash-of-${name}` },
      ownerReferences: [{ kind: 'ReplicaSet', name: `${name}-rs`, uid: `uid-of-${name}-rs` }],
    },
    spec: { containers: [{ name: 'main' }], terminationGracePeriodSeconds: 30 },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status }],
      containerStatuses: [
        {
          name: 'main',
          ready: status === 'True',
          restartCount: restarts.get(name) ?? 0,
          state: ended.has(name) ? { terminated: { exitCode: 7 } } : { running: {} },
        },
      ],
    },
  }))
}

function pictureOf(objects: ReadonlyMap<string, KubeObject>, pods: readonly unknown[]): Picture {
  const deployments = listOf(objects, 'deployments')
  const slices = listOf(objects, 'services').map((service) => {
    const selector = labelsIn(at(service, 'spec', 'selector'))
    const selected = pods.filter((pod) =>
      matches(selector, labelsIn(at(pod, 'metadata', 'labels'))),
    )
    return {
      metadata: {
        namespace: NAMESPACE,
        labels: { 'kubernetes.io/service-name': service.metadata.name },
      },
      endpoints: selected.map((pod) => ({
        conditions: { ready: isReady(pod) },
        targetRef: { name: textAt(pod, 'metadata', 'name'), uid: textAt(pod, 'metadata', 'uid') },
      })),
    }
  })
  return {
    ...emptyPicture,
    Deployment: deployments.map(withStatus),
    ReplicaSet: deployments.map(replicaSetOf),
    Pod: pods,
    EndpointSlice: slices,
  }
}

function isReady(pod: unknown): boolean {
  return listAt(pod, 'status', 'conditions').some((one) => textAt(one, 'status') === 'True')
}

function listOf(objects: ReadonlyMap<string, KubeObject>, plural: string): readonly KubeObject[] {
  return [...objects].filter(([key]) => key.startsWith(`${plural}/`)).map(([, object]) => object)
}

function pluralOf({ kind }: KubeObject): string {
  return `${kind.toLowerCase()}s`
}

function part(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {}
}
