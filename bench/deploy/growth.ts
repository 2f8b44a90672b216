import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { toYaml } from '../../src/yaml.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { formatImageSet } from '../../src/release/imageset.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { openProxy } from '../../tests/deploy/failures/proxy.ts'
import { measure } from '../measure.ts'
import { FAKE, openFakeNodes } from './fakenodes.ts'
import { dropNamespaces, makeNamespace } from './namespaces.ts'
import { ourCommand, type Setting, type Target } from './sides.ts'

/** A deploy of so many objects into an empty namespace, and of the same again. */
export type Size = {
  readonly objects: number
  readonly seconds: number
  readonly calls: number
  readonly againSeconds: number
  readonly againCalls: number
  /** The most memory of both runs, in bytes. */
  readonly peakBytes: number
}

export const SIZES = [100, 300, 1_000] as const
/** Of ten objects: so many Deployments of one pod, so many Services; the rest are ConfigMaps. More would measure the cluster's controllers. */
const [DEPLOYMENTS, SERVICES] = [1, 1]
const TIMEOUT_S = 500
/** No node that is real could run it: these pods are only said to run. */
const IMAGE = `registry.example/nothing@sha256:${'1'.repeat(64)}`

/** Deploys more and more objects, by a way that counts requests, to nodes that cost nothing. */
export async function measureGrowth(
  { setting, cluster }: { readonly setting: Setting; readonly cluster: Cluster },
  onSize: (size: Size) => void,
): Promise<readonly Size[]> {
  const nodes = await openFakeNodes(setting, cluster)
  try {
    const sizes: Size[] = []
    for (const count of SIZES) {
      const size = await measureSize(count, setting, cluster)
      sizes.push(size)
      onSize(size)
    }
    return sizes
  } finally {
    await nodes.remove()
  }
}

async function measureSize(count: number, setting: Setting, cluster: Cluster): Promise<Size> {
  const namespace = `todo-bench-${process.pid.toString(36)}-size-${count}`
  const target = await layOut(objectsOf(count, namespace), namespace, setting)
  const proxy = await openProxy()
  await makeNamespace(namespace, cluster)
  try {
    const through = { ...target, kubeconfig: proxy.kubeconfig }
    const run = async () => {
      proxy.asked.length = 0
      const sample = await measure([await ourCommand(through, setting)])
      return { ...sample, calls: proxy.asked.length }
    }
    const first = await run()
    const again = await run()
    return {
      ...{ objects: count, seconds: first.seconds, calls: first.calls },
      ...{ againSeconds: again.seconds, againCalls: again.calls },
      peakBytes: Math.max(first.peakBytes, again.peakBytes),
    }
  } finally {
    await proxy.close()
    await dropNamespaces([namespace], cluster)
  }
}

function objectsOf(count: number, namespace: string): readonly KubeObject[] {
  return Array.from({ length: count }, (_none, index) => {
    const turn = index % 10
    if (turn < DEPLOYMENTS) return deploymentOf(`web-${index}`, namespace)
    // A Service for each Deployment: its endpoints are looked at too.
    if (turn < DEPLOYMENTS + SERVICES) return serviceOf(`web-${index - DEPLOYMENTS}`, namespace)
    const metadata = { name: `settings-${index}`, namespace }
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { index: String(index) } }
  })
}

function serviceOf(name: string, namespace: string): KubeObject {
  const spec = { selector: { app: name }, ports: [{ port: 80 }] }
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec }
}

function deploymentOf(name: string, namespace: string): KubeObject {
  const labels = { app: name }
  const spec = {
    minReadySeconds: 1,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        nodeSelector: { type: 'kwok' },
        tolerations: [{ key: FAKE, operator: 'Exists' }],
        automountServiceAccountToken: false,
        containers: [
          { name: 'main', image: IMAGE, readinessProbe: { exec: { command: ['true'] } } },
        ],
      },
    },
  }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace }, spec }
}

async function layOut(
  objects: readonly KubeObject[],
  namespace: string,
  setting: Setting,
): Promise<Target> {
  const folder = join(setting.folder, 'growth', namespace)
  const environments = { size: { overlay: 'overlays/size', namespace } }
  const files = {
    'images.lock.json': formatImageSet({ version: 1, images: {} }),
    'k8s/environments.yaml': toYaml({ application: 'bench', environments }),
    'k8s/overlays/size/kustomization.yaml': toYaml({
      ...{ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' },
      resources: ['all.yaml'],
    }),
    'k8s/overlays/size/all.yaml': objects.map((object) => toYaml(object)).join('---\n'),
  }
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    await writeFile(join(folder, file), text)
  }
  const inputs = {
    ...{ environment: 'size', path: join(folder, 'k8s'), images: join(folder, 'images.lock.json') },
    lint: 'off',
  }
  return {
    ...{ namespace, inputs, timeoutSeconds: TIMEOUT_S, workloads: [], jobs: [], values: [] },
    ...{ overlay: '', chart: '' },
  }
}
