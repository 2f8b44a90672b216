import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toYaml } from '../../src/yaml.ts'
import { type Cluster, openCluster } from '../../src/cluster/cluster.ts'
import { inRealWorld } from '../../src/edge/world.ts'
import type { Environment } from '../../src/environments/environments.ts'
import type { Files } from '../../src/release/archive.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { deploy } from '../../src/rollout/deploy.ts'
import type { DeployOptions, DeployResult } from '../../src/rollout/outcome.ts'
import { runProgram } from '../../src/tools/program.ts'
import { lab } from '../e2e/lab.ts'
import { fakeWorld } from '../fakes/world.ts'
import { testPrograms } from '../programs.ts'
import { clearNamespace, dropNamespace } from '../stack/rendered.ts'

/** A namespace of a test's own, and what can be done to it. */
export type Place = {
  readonly namespace: string
  readonly api: Cluster
  /** Everything that the deploys have said, the newest last. */
  readonly said: string[]
  /** Deploys these objects as release `identity` from an overlay. */
  readonly deploy: (
    identity: string,
    objects: readonly KubeObject[],
    more?: Partial<DeployOptions>,
  ) => Promise<DeployResult>
  /** Deploys a manifest tree, such as one with a chart. */
  readonly deployTree: (
    identity: string,
    manifests: Files,
    more: Partial<DeployOptions>,
  ) => Promise<DeployResult>
  readonly get: (path: string) => Promise<unknown>
  /** Writes as somebody else does: the answer's status is checked. */
  readonly write: (request: Parameters<Cluster['call']>[0]) => Promise<unknown>
  /** kubectl or helm, in this namespace. */
  readonly run: (
    program: 'kubectl' | 'helm',
    args: readonly string[],
    input?: string,
  ) => Promise<string>
  readonly close: () => Promise<void>
}

const LIMIT_MS = 900_000

export async function openPlace(namespace: string): Promise<Place> {
  const where = { kubeconfig: lab.kubeconfig, context: lab.context }
  const api = await openCluster(where, AbortSignal.timeout(LIMIT_MS))
  await clearNamespace(namespace, api)
  const write: Place['write'] = async (request) => {
    const answer = await api.call(request)
    if (answer.status >= 300) throw new Error(`${request.path}: ${answer.text}`)
    return answer.body
  }
  await write({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { metadata: { name: namespace } },
  })
  const said: string[] = []
  const deployTree: Place['deployTree'] = async (identity, manifests, more) => {
    const tell = (line: string) => {
      said.push(line)
      if (process.env['VERBOSE'] === '1') process.stderr.write(`${line}\n`)
    }
    const progress = { ...fakeWorld().progress, say: tell, warn: tell }
    const signal = AbortSignal.timeout(LIMIT_MS)
    const options: DeployOptions = {
      source: { identity, manifests, images: { version: 1, images: {} } },
      application: 'place',
      environment: environmentOf(namespace),
      mode: 'apply',
      timeoutSeconds: 120,
      prune: true,
      onFailure: 'rollback',
      holder: `test-${identity}`,
      lint: 'off',
      ...more,
    }
    return await inRealWorld({ progress, signal }, (world) => deploy(options, api, world))
  }
  return {
    ...{ namespace, api, said, write, deployTree },
    deploy: async (identity, objects, more = {}) =>
      await deployTree(identity, treeOf(objects), more),
    get: async (path) => (await api.call({ method: 'GET', path })).body,
    run: async (program, args, input) => {
      const result = await runProgram(
        {
          argv: [await testPrograms.tool(program), ...args, '--namespace', namespace],
          timeoutSeconds: 120,
          ...(input === undefined ? {} : { input }),
        },
        AbortSignal.timeout(LIMIT_MS),
      )
      if (result.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${result.stderr}`)
      return result.stdout
    },
    close: async () => {
      await dropNamespace(namespace, api)
    },
  }
}

export function environmentOf(namespace: string): Environment {
  return {
    ...{ name: 'place', overlay: 'overlays/place', namespace, components: [], url: '' },
    ...{ after: undefined, preview: false, hostPrefix: '', strategy: { type: 'rolling' } },
  }
}

/** A manifest tree with one overlay of these objects. */
export function treeOf(objects: readonly KubeObject[]): Files {
  const kustomization = { kind: 'Kustomization', resources: ['all.yaml'] }
  const all = objects.map((one) => toYaml(one)).join('---\n')
  return new Map([
    ['overlays/place/kustomization.yaml', Buffer.from(toYaml(kustomization))],
    ['overlays/place/all.yaml', Buffer.from(all)],
  ])
}

export async function writeTree(folder: string, name: string, text: string): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, text)
  return file
}

export function configMap(
  name: string,
  data: Readonly<Record<string, string>> = {},
  metadata: object = {},
): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data }
}

/** A Deployment that sleeps; its pods stop at once. */
export function sleeper(
  name: string,
  image: string,
  change: { readonly replicas?: number; readonly env?: Readonly<Record<string, string>> } = {},
): KubeObject {
  const { replicas, env = {} } = change
  const labels = { app: name }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 1,
          containers: [containerOf(image, 'sleep 3600', env)],
        },
      },
    },
  }
}

/** A Job that runs a line of shell. */
export function job(
  name: string,
  what: {
    readonly image: string
    readonly line: string
    readonly annotations?: Readonly<Record<string, string>>
  },
): KubeObject {
  const { image, line, annotations = {} } = what
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, annotations },
    spec: {
      backoffLimit: 0,
      template: {
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 1,
          containers: [containerOf(image, line, {})],
        },
      },
    },
  }
}

function containerOf(image: string, line: string, env: Readonly<Record<string, string>>): unknown {
  return {
    name: 'main',
    image,
    command: ['sh', '-c', line],
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    resources: { requests: { cpu: '5m', memory: '8Mi' } },
  }
}
