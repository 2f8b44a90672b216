import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { attempt, run, succeeds } from './command.ts'
import { LabError } from './failure.ts'
import { keyOf, readJson, writeAtomically } from './files.ts'
import { places } from './places.ts'
import { REGISTRY, REGISTRY_CONTAINER } from './registry.ts'
import type { Way } from './reach.ts'
import { askWith, waitForNode, waitForSystem } from './readiness.ts'

export const CLUSTER = 'todo-deploy'
export const CONTEXT = `kind-${CLUSTER}`
export const NODE = `${CLUSTER}-control-plane`
const CREATE_SECONDS = 300
const READY_SECONDS = 150
// A node that was stopped comes back within this time, or it is made anew.
const RETURN_SECONDS = 60

/** Ports of 127.0.0.1 that lead to node ports of the same number: three environments, then previews. */
export const nodePorts: readonly number[] = Array.from({ length: 10 }, (_, at) => 30080 + at)

export interface ClusterPlan {
  readonly kind: string
  readonly kubectl: string
  /** The image of the node. */
  readonly image: string
  readonly host: string
  readonly way: Way
}

/** Creates the cluster, or brings back the one that is there; it is ready for work when this returns. */
export async function ensureCluster(plan: ClusterPlan, say: (line: string) => void): Promise<void> {
  const keyFile = join(places.lab, 'cluster.json')
  const key = keyOf(plan.image, plan.host, configuration(plan))
  const isKnown = (readJson(keyFile) as { key?: string } | undefined)?.key === key
  if (!isKnown || !(await isBack(plan, say))) {
    await removeCluster(plan)
    await create(plan)
    writeAtomically(keyFile, JSON.stringify({ key }))
    // kind's own wait ends well whatever came of it, so the lab looks for itself.
    await waitUntilReady(plan, READY_SECONDS)
  }
  await connectRegistry(plan.host)
}

async function isBack(plan: ClusterPlan, say: (line: string) => void): Promise<boolean> {
  const docker = ['docker', '--host', plan.host]
  const format = '{{.State.Running}}'
  const state = await attempt([
    ...docker,
    'inspect',
    '--type',
    'container',
    '--format',
    format,
    NODE,
  ])
  if (state.code !== 0 || !existsSync(places.kubeconfig)) return false
  if (state.stdout.trim() !== 'true') {
    say('starting the stopped node')
    if (!(await succeeds([...docker, 'start', NODE]))) return false
  }
  try {
    await waitUntilReady(plan, RETURN_SECONDS)
    return true
  } catch (failure) {
    if (!(failure instanceof LabError)) throw failure
    say(`the node did not come back, so a new cluster is made: ${failure.message}`)
    return false
  }
}

async function create(plan: ClusterPlan): Promise<void> {
  mkdirSync(places.lab, { recursive: true })
  await run(
    [
      plan.kind,
      'create',
      'cluster',
      '--name',
      CLUSTER,
      '--image',
      plan.image,
      '--kubeconfig',
      places.kubeconfig,
      '--config',
      '-',
    ],
    {
      env: environment(plan),
      input: configuration(plan),
      timeoutSeconds: CREATE_SECONDS,
      log: 'kind.log',
    },
  )
  chmodSync(places.kubeconfig, 0o600)
}

function environment(plan: Pick<ClusterPlan, 'host'>): Record<string, string> {
  return {
    DOCKER_HOST: plan.host,
    KIND_EXPERIMENTAL_PROVIDER: 'docker',
    KUBECONFIG: places.kubeconfig,
  }
}

/** What kind is asked for. */
export function configuration({ way }: Pick<ClusterPlan, 'way'>): string {
  const ports = nodePorts.map(
    (port) =>
      `      - { containerPort: ${port}, hostPort: ${port}, listenAddress: 127.0.0.1, protocol: TCP }`,
  )
  // The lab's own node has a static network for its one node and lacks the right to raise limits.
  const offline = [
    'networking:',
    '  disableDefaultCNI: true',
    'featureGates:',
    '  KubeletInUserNamespace: true',
  ]
  return [
    'kind: Cluster',
    'apiVersion: kind.x-k8s.io/v1alpha4',
    ...(way === 'offline' ? offline : []),
    'nodes:',
    '  - role: control-plane',
    '    extraPortMappings:',
    ...ports,
    '',
  ].join('\n')
}

async function waitUntilReady(plan: ClusterPlan, nodeSeconds: number): Promise<void> {
  const format = '{{.State.StartedAt}}'
  const said = await run(['docker', '--host', plan.host, 'inspect', '--format', format, NODE])
  const started = Date.parse(said.trim())
  // Kubernetes writes whole seconds, so that a pod may seem to be started before the node.
  const since = new Date(Math.floor(started / 1000) * 1000)
  const ask = askWith(kubectlArguments(plan.kubectl))
  await waitForNode(ask, since, nodeSeconds)
  await waitForSystem(ask, since, READY_SECONDS)
}

export function kubectlArguments(kubectl: string): string[] {
  return [kubectl, '--kubeconfig', places.kubeconfig, '--context', CONTEXT]
}

/** Puts the registry on the node's network and tells the node where localhost:5001 is. */
async function connectRegistry(host: string): Promise<void> {
  const docker = ['docker', '--host', host]
  const networks = await run([
    ...docker,
    'inspect',
    '--format',
    '{{json .NetworkSettings.Networks}}',
    REGISTRY_CONTAINER,
  ])
  if (!Object.hasOwn(JSON.parse(networks) as object, 'kind'))
    await run([...docker, 'network', 'connect', 'kind', REGISTRY_CONTAINER])
  const folder = `/etc/containerd/certs.d/${REGISTRY}`
  const hosts = `[host."http://${REGISTRY_CONTAINER}:5000"]\n  capabilities = ["pull", "resolve"]\n`
  await run([...docker, 'exec', '--interactive', NODE, 'mkdir', '-p', folder])
  await run(
    [...docker, 'exec', '--interactive', NODE, 'cp', '/dev/stdin', `${folder}/hosts.toml`],
    { input: hosts },
  )
}

export async function removeCluster(plan: Pick<ClusterPlan, 'kind' | 'host'>): Promise<void> {
  await attempt(
    [plan.kind, 'delete', 'cluster', '--name', CLUSTER, '--kubeconfig', places.kubeconfig],
    {
      env: environment(plan),
      timeoutSeconds: CREATE_SECONDS,
      log: 'kind.log',
    },
  )
}
