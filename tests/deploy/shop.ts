import { readFile } from 'node:fs/promises'
import { toYaml } from '../../src/yaml.ts'
import { type Cluster, openCluster } from '../../src/cluster/cluster.ts'
import { inRealWorld } from '../../src/edge/world.ts'
import type { Environment } from '../../src/environments/environments.ts'
import { type RawStrategy, readStrategy } from '../../src/environments/strategy.ts'
import { listAt, textAt } from '../../src/json.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { deploy } from '../../src/rollout/deploy.ts'
import type { DeployOptions, DeployResult } from '../../src/rollout/outcome.ts'
import { lab } from '../e2e/lab.ts'
import { fakeWorld } from '../fakes/world.ts'

/** What one release of the little shop is: the server of `server.ts` behind a Service. */
export type ShopRelease = {
  readonly version: string
  /** What it does at SIGTERM. */
  readonly kind?: 'finishes' | 'dies' | 'ignores'
  readonly replicas?: number
  /** More environment of the server, such as FAILS. */
  readonly env?: Readonly<Record<string, string>>
  /** Changes to the Deployment's pod, such as a readiness probe that never passes. */
  readonly container?: Readonly<Record<string, unknown>>
  readonly more?: readonly KubeObject[]
}

export type ShopDeploy = {
  readonly strategy: RawStrategy
  readonly timeoutSeconds?: number
  readonly onFailure?: 'rollback' | 'keep'
  /** The run is ended as soon as it says something that this matches. */
  readonly cancelAt?: RegExp
}

/** A namespace of its own with the shop in it. */
export type Shop = {
  readonly namespace: string
  readonly cluster: Cluster
  /** Everything that the deploys have said, the newest last. */
  readonly said: string[]
  deploy: (release: ShopRelease, how: ShopDeploy) => Promise<DeployResult>
  close: () => Promise<void>
}

const LIMIT_MS = 1_500_000
const SERVER = 'server.ts'
/** Longer than the life of the load's connections and its slowest request. */
const PRE_STOP_S = 8
const GRACE_S = 13

export async function openShop(namespace: string): Promise<Shop> {
  const where = { kubeconfig: lab.kubeconfig, context: lab.context }
  const api = await openCluster(where, AbortSignal.timeout(LIMIT_MS))
  const body = { metadata: { name: namespace } }
  await api.call({ method: 'POST', path: '/api/v1/namespaces', body })
  const image = await nodeImage()
  const server = await readFile('tests/deploy/server.ts', 'utf8')
  const said: string[] = []
  const { progress } = fakeWorld()
  const tell = (line: string) => {
    said.push(line)
    if (process.env['VERBOSE'] === '1')
      process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`)
  }
  return {
    namespace,
    cluster: api,
    said,
    deploy: async (release, how) => {
      const cancel = new AbortController()
      const signal = AbortSignal.any([AbortSignal.timeout(LIMIT_MS), cancel.signal])
      const say = (line: string) => {
        tell(line)
        if (how.cancelAt?.test(line) === true) cancel.abort(new Error('cancelled by the test'))
      }
      const spoken = { ...progress, say, warn: say, step: stepper(say) }
      const options = optionsOf({ namespace, release, how, image, server })
      return await inRealWorld({ progress: spoken, signal }, (world) => deploy(options, api, world))
    },
    close: async () => {
      await api.call({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}` })
    },
  }
}

function stepper(tell: (line: string) => void) {
  return async <T>(title: string, work: () => Promise<T>): Promise<T> => {
    tell(`▸ ${title}`)
    return await work()
  }
}

type Made = {
  readonly namespace: string
  readonly release: ShopRelease
  readonly how: ShopDeploy
  readonly image: string
  readonly server: string
}

function optionsOf({ namespace, release, how, image, server }: Made): DeployOptions {
  const objects = shopObjects(namespace, release, { image, server })
  const environment: Environment = {
    name: 'shop',
    overlay: 'overlays/shop',
    namespace,
    components: [],
    url: '',
    after: undefined,
    preview: false,
    hostPrefix: '',
    strategy: readStrategy(how.strategy),
  }
  const kustomization = { kind: 'Kustomization', resources: ['all.yaml'] }
  return {
    source: {
      identity: `shop-${release.version}`,
      manifests: new Map([
        ['overlays/shop/kustomization.yaml', Buffer.from(toYaml(kustomization))],
        ['overlays/shop/all.yaml', Buffer.from(objects.map((one) => toYaml(one)).join('---\n'))],
      ]),
      images: { version: 1, images: {} },
    },
    application: 'shop',
    environment,
    mode: 'apply',
    timeoutSeconds: how.timeoutSeconds ?? 240,
    prune: true,
    onFailure: how.onFailure ?? 'rollback',
    holder: `test-${release.version}-${Date.now()}`,
  }
}

/** The objects of one release, as somebody would write them. */
export function shopObjects(
  namespace: string,
  release: ShopRelease,
  how: { readonly image: string; readonly server: string },
): readonly KubeObject[] {
  const labels = { 'app.kubernetes.io/name': 'web' }
  const metadata = { name: 'web', namespace, labels }
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...metadata, name: 'server' },
      data: { [SERVER]: how.server },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata,
      spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        ...(release.replicas === undefined ? {} : { replicas: release.replicas }),
        minReadySeconds: 1,
        strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: podOf(release, how.image) },
      },
    },
    ...(release.more ?? []),
  ]
}

function podOf(
  { version, kind = 'finishes', env = {}, container = {} }: ShopRelease,
  image: string,
) {
  const given = { KIND: kind, VERSION: version, NODE_NO_WARNINGS: '1', ...env }
  return {
    terminationGracePeriodSeconds: GRACE_S,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    containers: [
      {
        name: 'web',
        image,
        command: ['node', `/shop/${SERVER}`],
        env: Object.entries(given).map(([name, value]) => ({ name, value })),
        ports: [{ name: 'http', containerPort: 8080 }],
        resources: { requests: { cpu: '10m', memory: '48Mi' }, limits: { memory: '192Mi' } },
        startupProbe: {
          httpGet: { path: '/health', port: 'http' },
          periodSeconds: 1,
          failureThreshold: 60,
        },
        readinessProbe: {
          httpGet: { path: '/health', port: 'http' },
          periodSeconds: 2,
          timeoutSeconds: 5,
        },
        lifecycle: { preStop: { sleep: { seconds: PRE_STOP_S } } },
        volumeMounts: [{ name: 'shop', mountPath: '/shop' }],
        ...container,
      },
    ],
    volumes: [{ name: 'shop', configMap: { name: 'server' } }],
  }
}

/** The lab's Node image, by digest. */
export async function nodeImage(): Promise<string> {
  const accept =
    'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json'
  const answer = await fetch(`http://${lab.registry}/v2/library/node/manifests/24-alpine`, {
    method: 'HEAD',
    headers: { accept },
  })
  return `${lab.registry}/library/node@${answer.headers.get('docker-content-digest') ?? ''}`
}

/** Names of the pods of a namespace that run and stay. */
export async function podsIn(namespace: string, api: Cluster): Promise<readonly string[]> {
  const { body } = await api.call({ method: 'GET', path: `/api/v1/namespaces/${namespace}/pods` })
  return listAt(body, 'items')
    .filter((pod) => textAt(pod, 'metadata', 'deletionTimestamp') === undefined)
    .map((pod) => textAt(pod, 'metadata', 'name') ?? '')
}
