import { setTimeout as sleep } from 'node:timers/promises'
import { applyObject } from '../../src/cluster/apply.ts'
import { type Cluster, reasonOf } from '../../src/cluster/cluster.ts'
import { discoverResources } from '../../src/cluster/resources.ts'
import { at, listAt } from '../../src/json.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { clearNamespace, dropNamespace } from './rendered.ts'

/** What is made of the two files that the component gives to a Prometheus. */
export type Watched = { readonly scrape: string; readonly alerts: string }

/** A Prometheus as a platform has it: in a namespace of its own, reading the Services of all. */
export type Prometheus = {
  /** The `data` of an answer of its HTTP API. */
  readonly ask: (path: string) => Promise<unknown>
  readonly close: () => Promise<void>
}

const NAME = 'todo-stack-prometheus'
const FOLDER = '/etc/prometheus'
const PORT = 9090
const READY_MS = 90_000

/** How docs/monitoring.md says that the two files are given to it. Rules are looked at often, so that nobody waits for that. */
export function configuration(folder: string): string {
  return [
    'global: { evaluation_interval: 1s }',
    `scrape_config_files: [${folder}/scrape.yaml]`,
    `rule_files: [${folder}/alerts.yaml]`,
    '',
  ].join('\n')
}

export async function openPrometheus(
  { image, watched }: { readonly image: string; readonly watched: Watched },
  cluster: Cluster,
): Promise<Prometheus> {
  const resources = discoverResources(cluster)
  await clearNamespace(NAME, cluster)
  for (const object of [...rights, configMap(watched), pod(image)])
    await applyObject(object, resources, cluster)
  const proxy = `/api/v1/namespaces/${NAME}/pods/${NAME}:${PORT}/proxy`
  const get = async (path: string) => await cluster.call({ method: 'GET', path: proxy + path })
  await until(async () => (await get('/-/ready')).status === 200, READY_MS)
  return {
    ask: async (path) => {
      const answer = await get(`/api/v1/${path}`)
      if (answer.status !== 200) throw new Error(`Prometheus, ${path}: ${reasonOf(answer)}`)
      return at(answer.body, 'data')
    },
    close: async () => {
      await dropNamespace(NAME, cluster)
      for (const object of rights.filter(({ metadata }) => metadata.namespace === undefined))
        await cluster.call({ method: 'DELETE', path: await resources.pathOf(object) })
    },
  }
}

/** Looks every half second until it is so; resolves to the seconds that took. */
export async function until(isSo: () => Promise<boolean>, limitMs: number): Promise<number> {
  const began = performance.now()
  while (!(await isSo())) {
    if (performance.now() - began > limitMs) throw new Error(`not so after ${limitMs / 1000} s`)
    await sleep(500)
  }
  return (performance.now() - began) / 1000
}

/** Alerts of a namespace by name and state, as `name service state`. */
export function alertsOf(data: unknown, namespace: string): readonly string[] {
  return listAt(data, 'alerts')
    .filter((alert) => at(alert, 'labels', 'namespace') === namespace)
    .map((alert) =>
      [at(alert, 'labels', 'alertname'), at(alert, 'labels', 'service'), at(alert, 'state')].join(
        ' ',
      ),
    )
    .toSorted()
}

const inNamespace = { name: NAME, namespace: NAME }
/** Exactly what docs/monitoring.md says that it needs. */
const rights: readonly KubeObject[] = [
  {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAME, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  },
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: inNamespace },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: NAME },
    rules: [{ apiGroups: [''], resources: ['services'], verbs: ['list', 'watch'] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: NAME },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: NAME },
    subjects: [{ kind: 'ServiceAccount', ...inNamespace }],
  },
]

function configMap({ scrape, alerts }: Watched): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: inNamespace,
    data: {
      'prometheus.yml': configuration(FOLDER),
      'scrape.yaml': scrape,
      'alerts.yaml': alerts,
    },
  }
}

function pod(image: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: inNamespace,
    spec: {
      serviceAccountName: NAME,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 2,
      securityContext: {
        ...{ runAsNonRoot: true, runAsUser: 65534, runAsGroup: 65534, fsGroup: 65534 },
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'prometheus',
          image,
          args: [`--config.file=${FOLDER}/prometheus.yml`, '--storage.tsdb.path=/prometheus'],
          readinessProbe: { httpGet: { path: '/-/ready', port: PORT }, periodSeconds: 1 },
          resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '512Mi' } },
          securityContext: {
            ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: [
            { name: 'config', mountPath: FOLDER },
            { name: 'data', mountPath: '/prometheus' },
          ],
        },
      ],
      volumes: [
        { name: 'config', configMap: { name: NAME } },
        { name: 'data', emptyDir: {} },
      ],
    },
  }
}
