import { prometheusImage } from '../../lab/monitoring.ts'
import { applyObject } from '../../src/cluster/apply.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { discoverResources } from '../../src/cluster/resources.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { until } from '../stack/prometheus.ts'

const NAME = 'prometheus'
const PORT = 9090
const READY_MS = 90_000
/** Each pod says its own name in what it measures. */
const configuration = (namespace: string, selector: string) => `
global: { scrape_interval: 2s, scrape_timeout: 2s }
scrape_configs:
  - job_name: shop
    honor_labels: true
    kubernetes_sd_configs:
      - { role: pod, namespaces: { names: [${namespace}] }, selectors: [{ role: pod, label: ${selector} }] }
`

/** A real Prometheus behind a Service, in the namespace of a shop, that reads all pods with `labels` every two seconds. */
export async function startPrometheus(
  namespace: string,
  labels: Readonly<Record<string, string>>,
  cluster: Cluster,
): Promise<void> {
  const resources = discoverResources(cluster)
  const metadata = { name: NAME, namespace }
  const own = { app: NAME }
  const rbac = 'rbac.authorization.k8s.io'
  const selector = Object.entries(labels).map((label) => label.join('='))
  const data = { 'prometheus.yml': configuration(namespace, selector.join(',')) }
  const objects: readonly KubeObject[] = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      ...{ apiVersion: `${rbac}/v1`, kind: 'Role', metadata },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }],
    },
    {
      ...{ apiVersion: `${rbac}/v1`, kind: 'RoleBinding', metadata },
      roleRef: { apiGroup: rbac, kind: 'Role', name: NAME },
      subjects: [{ kind: 'ServiceAccount', ...metadata }],
    },
    {
      ...{ apiVersion: 'v1', kind: 'Service', metadata },
      spec: { selector: own, ports: [{ port: PORT }] },
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data },
    {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, labels: own } },
      spec: podSpec(),
    },
  ]
  for (const object of objects) await applyObject(object, resources, cluster)
  const path = `/api/v1/namespaces/${namespace}/services/${NAME}:${PORT}/proxy/-/ready`
  await until(async () => (await cluster.call({ method: 'GET', path })).status === 200, READY_MS)
}

function podSpec(): unknown {
  return {
    terminationGracePeriodSeconds: 2,
    serviceAccountName: NAME,
    enableServiceLinks: false,
    securityContext: { runAsNonRoot: true, runAsUser: 65534, fsGroup: 65534 },
    containers: [
      {
        name: NAME,
        image: prometheusImage(),
        args: ['--config.file=/etc/prometheus/prometheus.yml', '--storage.tsdb.path=/prometheus'],
        readinessProbe: { httpGet: { path: '/-/ready', port: PORT }, periodSeconds: 1 },
        resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '512Mi' } },
        volumeMounts: [
          { name: 'config', mountPath: '/etc/prometheus' },
          { name: 'data', mountPath: '/prometheus' },
        ],
      },
    ],
    volumes: [
      { name: 'config', configMap: { name: NAME } },
      { name: 'data', emptyDir: {} },
    ],
  }
}
