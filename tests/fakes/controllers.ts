import { at, numberAt, textAt } from '../../src/json.ts'
import type { KubeObject } from '../../src/render/manifest.ts'

const REVISION = 'deployment.kubernetes.io/revision'

/** What the controllers make of an object that was written: its status, its pods, its endpoints. */
export function consequencesOf(live: KubeObject, path: string): [string, KubeObject][] {
  const [, group = ''] = /^(.*\/namespaces\/[^/]+)\//.exec(path) ?? []
  const place = (api: string, plural: string, name: string) =>
    `${group.replace(/^.*(?=\/namespaces)/, api)}/${plural}/${name}`
  switch (live.kind) {
    case 'Deployment':
      return isObserved(live) ? [] : rollOutDeployment(live, path, place)
    case 'Job':
      if (live['status'] !== undefined) return []
      return [[path, { ...live, status: { conditions: [{ type: 'Complete', status: 'True' }] } }]]
    case 'Service': {
      const { name } = live.metadata
      return [[place('/apis/discovery.k8s.io/v1', 'endpointslices', `${name}-1`), sliceOf(live)]]
    }
    default:
      return []
  }
}

type Place = (api: string, plural: string, name: string) => string

function rollOutDeployment(live: KubeObject, path: string, place: Place): [string, KubeObject][] {
  const generation = numberAt(live, 'metadata', 'generation') ?? 1
  const { name } = live.metadata
  const breaks = textAt(live, 'spec', 'template', 'metadata', 'annotations', 'breaks') !== undefined
  const available = breaks ? 0 : 1
  const status = {
    observedGeneration: generation,
    ...{ replicas: 1, updatedReplicas: 1, availableReplicas: available },
  }
  const revision = String(generation)
  const annotations = { ...live.metadata.annotations, [REVISION]: revision }
  const deployment = { ...live, status, metadata: { ...live.metadata, annotations } }
  const set = owned(`${name}-${revision}`, live, {
    ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet', annotations: { [REVISION]: revision } },
  })
  const pod = {
    ...owned(`${name}-${revision}-pod`, set, { apiVersion: 'v1', kind: 'Pod' }),
    spec: { containers: [{ name: 'main' }] },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: breaks ? 'False' : 'True' }],
      containerStatuses: [containerStatus(breaks)],
    },
  }
  return [
    [place('/apis/apps/v1', 'replicasets', set.metadata.name), set],
    [place('/api/v1', 'pods', pod.metadata.name), pod],
    [path, deployment],
  ]
}

function containerStatus(breaks: boolean): unknown {
  if (!breaks) return { name: 'main', ready: true, restartCount: 0 }
  const lastState = { terminated: { exitCode: 1, reason: 'Error' } }
  return { name: 'main', ready: false, restartCount: 3, lastState }
}

function sliceOf(service: KubeObject): KubeObject {
  const slice = owned(`${service.metadata.name}-1`, service, {
    ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
  })
  const labels = { 'kubernetes.io/service-name': service.metadata.name }
  const endpoints = [{ conditions: { ready: true } }]
  return { ...slice, endpoints, metadata: { ...slice.metadata, labels } }
}

function owned(
  name: string,
  owner: KubeObject,
  made: {
    readonly apiVersion: string
    readonly kind: string
    readonly annotations?: Readonly<Record<string, string>>
  },
): KubeObject {
  const { apiVersion, kind, annotations = {} } = made
  const ownerReferences = [{ uid: owner.metadata['uid'], kind: owner.kind }]
  return {
    apiVersion,
    kind,
    metadata: { name, uid: `uid-of-${name}`, annotations, ownerReferences },
  }
}

function isObserved(live: KubeObject): boolean {
  return at(live, 'status', 'observedGeneration') === live.metadata['generation']
}
