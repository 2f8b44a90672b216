import { toYaml } from '../../../src/yaml.ts'
import { type Cluster, openCluster } from '../../../src/cluster/cluster.ts'
import { inRealWorld } from '../../../src/edge/world.ts'
import type { Environment } from '../../../src/environments/environments.ts'
import { readStrategy } from '../../../src/environments/strategy.ts'
import type { KubeObject } from '../../../src/render/manifest.ts'
import { deploy } from '../../../src/rollout/deploy.ts'
import type { DeployOptions, DeployResult } from '../../../src/rollout/outcome.ts'
import type { World } from '../../../src/world.ts'
import { lab } from '../../e2e/lab.ts'
import { fakeWorld } from '../../fakes/world.ts'

/** A namespace of its own, to which small releases are deployed by the code that users run. */
export type Stage = {
  readonly namespace: string
  readonly cluster: Cluster
  /** Everything that was said, with seconds since the deploy began. */
  readonly said: { readonly seconds: number; readonly line: string }[]
  readonly deploy: (release: StageRelease) => Promise<DeployResult>
  readonly close: () => Promise<void>
}

export type StageRelease = {
  readonly identity: string
  readonly objects: readonly KubeObject[]
  readonly options?: Partial<DeployOptions>
  readonly world?: Partial<World>
  /** Another way to the same cluster. */
  readonly cluster?: Cluster
  readonly signal?: AbortSignal
}

const LIMIT_MS = 600_000

/** Opens the namespace `todo-w-<name>`. Pods must fit the baseline of Pod Security. */
export async function openStage(name: string): Promise<Stage> {
  const namespace = `todo-w-${name}-${process.pid.toString(36)}`
  const cluster = await openCluster(
    { kubeconfig: lab.kubeconfig, context: lab.context },
    AbortSignal.timeout(LIMIT_MS * 4),
  )
  const labels = { 'pod-security.kubernetes.io/enforce': 'baseline' }
  await cluster.call({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { metadata: { name: namespace, labels } },
  })
  const said: { seconds: number; line: string }[] = []
  return {
    namespace,
    cluster,
    said,
    deploy: async (release) => {
      said.length = 0
      const began = Date.now()
      const tell = (line: string) => {
        said.push({ seconds: (Date.now() - began) / 1000, line })
        if (process.env['VERBOSE'] === '1')
          process.stderr.write(`${(Date.now() - began) / 1000} ${line}\n`)
      }
      const step = async <T>(title: string, work: () => Promise<T>): Promise<T> => {
        tell(`▸ ${title}`)
        return await work()
      }
      const { progress } = fakeWorld()
      const signal = AbortSignal.any([
        AbortSignal.timeout(LIMIT_MS),
        ...(release.signal === undefined ? [] : [release.signal]),
      ])
      const spoken = { ...progress, say: tell, warn: tell, step, ...release.world?.progress }
      return await inRealWorld({ progress: spoken, signal }, async (world) =>
        deploy(
          { ...optionsOf(namespace, release), ...release.options },
          release.cluster ?? cluster,
          { ...world, ...release.world, progress: spoken },
        ),
      )
    },
    close: async () => {
      await cluster.call({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}` })
    },
  }
}

export function optionsOf(namespace: string, { identity, objects }: StageRelease): DeployOptions {
  const environment: Environment = {
    name: 'stage',
    overlay: 'overlays/stage',
    namespace,
    components: [],
    url: '',
    after: undefined,
    preview: false,
    hostPrefix: '',
    strategy: readStrategy('rolling'),
  }
  const kustomization = { kind: 'Kustomization', resources: ['all.yaml'] }
  return {
    source: {
      identity,
      manifests: new Map([
        ['overlays/stage/kustomization.yaml', Buffer.from(toYaml(kustomization))],
        ['overlays/stage/all.yaml', Buffer.from(objects.map((one) => toYaml(one)).join('---\n'))],
      ]),
      images: { version: 1, images: {} },
    },
    application: 'stage',
    environment,
    mode: 'apply',
    timeoutSeconds: 120,
    prune: true,
    onFailure: 'rollback',
    holder: `test-${identity}-${Date.now()}`,
  }
}

const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]

/** The smallest image of the lab that has a shell, by digest. */
export async function shellImage(): Promise<string> {
  const answer = await fetch(`http://${lab.registry}/v2/library/debian/manifests/bookworm-slim`, {
    method: 'HEAD',
    headers: { accept: MANIFEST_TYPES.join(', ') },
  })
  return `${lab.registry}/library/debian@${answer.headers.get('docker-content-digest') ?? ''}`
}
