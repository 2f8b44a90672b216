import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { NODE, kubectlArguments } from './cluster.ts'
import { attempt, run } from './command.ts'
import { LabError } from './failure.ts'
import { moduleSource } from './gotools.ts'
import { places, source } from './places.ts'
import { publishProgram } from './programimage.ts'
import type { ProgramImage } from './programimage.ts'
import { askWith, findWaiting } from './readiness.ts'
import type { Ask } from './readiness.ts'
import type { ModuleName } from './toolset.ts'

/**
 * Something that runs in the cluster for everybody: a folder of lab/addons, and what it needs. Its image stands in the manifests
 * under the name of its program.
 */
export interface Addon extends ProgramImage {
  readonly folder: string
  readonly namespace: string
  /** The module that its program is compiled from. */
  readonly module: ModuleName
  /** Definitions that come with the source of a module: the module and a folder in it with a kustomization. */
  readonly definitions?: readonly [module: string, folder: string]
  /** A Service that the API server itself calls, and the object that says whether it gets through. */
  readonly called?: { readonly service: string; readonly by: string }
  /** Arguments of kubectl that end well when it is ready for work. */
  readonly ready: readonly (readonly string[])[]
}

export const addons = {
  metrics: {
    folder: 'metrics',
    namespace: 'kube-system',
    module: 'metrics',
    program: 'metrics-server',
    called: { service: 'metrics-server', by: 'apiservice/v1beta1.metrics.k8s.io' },
    ready: [['rollout', 'status', 'deployment/metrics-server']],
  },
  policies: {
    folder: 'policies',
    namespace: 'kube-system',
    module: 'policies',
    program: 'policies',
    onDebian: true,
    ready: [['rollout', 'status', 'daemonset/policies']],
  },
  secrets: {
    folder: 'secrets',
    namespace: 'external-secrets',
    module: 'secrets',
    program: 'external-secrets',
    definitions: ['github.com/external-secrets/external-secrets', 'config/crds/bases'],
    ready: [['rollout', 'status', 'deployment/external-secrets']],
  },
  ingress: {
    folder: 'ingress',
    namespace: 'ingress',
    module: 'ingress',
    program: 'traefik',
    definitions: ['sigs.k8s.io/gateway-api', 'config/crd'],
    ready: [
      ['rollout', 'status', 'deployment/traefik'],
      ['wait', '--for=condition=Accepted', 'gatewayclass/traefik'],
    ],
  },
} as const satisfies Record<string, Addon>

export interface Place {
  readonly host: string
  readonly kubectl: string
}

const OWNER = 'app.kubernetes.io/managed-by'
const owner = 'todo-deploy-lab-addons'
const READY_SECONDS = 180
const APPLY_SECONDS = 120

/** Puts an add-on into the cluster and waits until it is ready; changes nothing where it is there. */
export async function ensureAddon(addon: Addon, { host, kubectl }: Place): Promise<void> {
  const argv = kubectlArguments(kubectl)
  const image = await publishProgram(addon, host)
  await applyDefinitions(addon, argv)
  await apply(addon, argv, {
    name: `addon-${addon.folder}`,
    resource: join(source, 'addons', addon.folder),
    images: [imageEntry(addon.program, image)],
  })
  for (const words of addon.ready) await waitUntil(addon, argv, words)
  if (addon.called === undefined) return
  await forgetConnections(addon, addon.called, { host, ask: askWith(argv) })
  await waitUntil(addon, argv, ['wait', '--for=condition=Available', addon.called.by])
}

async function waitUntil(
  addon: Addon,
  kubectl: readonly string[],
  words: readonly string[],
): Promise<void> {
  const limit = ['--namespace', addon.namespace, `--timeout=${READY_SECONDS}s`]
  const options = { timeoutSeconds: READY_SECONDS + 10 }
  await run([...kubectl, ...words, ...limit], options).catch(async (failure: unknown) => {
    const why = await findWaiting(askWith(kubectl), addon.namespace)
    throw new LabError(`${addon.program} did not become ready: ${why}`, { cause: failure })
  })
}

/**
 * An API server that called before the node knew the way to the Service may have got through to a machine outside that answers for
 * every address. It keeps such a connection for as long as it is answered, so the node is made to forget it.
 */
async function forgetConnections(
  { namespace }: Addon,
  { service, by }: { readonly service: string; readonly by: string },
  { host, ask }: { readonly host: string; readonly ask: Ask },
): Promise<void> {
  const available = 'jsonpath={.status.conditions[?(@.type=="Available")].status}'
  if ((await ask(by, '--output', available)) === 'True') return
  const path = 'jsonpath={.spec.clusterIP}'
  const address = await ask(`service/${service}`, '--namespace', namespace, '--output', path)
  const forget = ['conntrack', '--delete', '--orig-dst', address]
  await attempt(['docker', '--host', host, 'exec', NODE, ...forget]) // it fails where there is none
}

/** What a kind is must be known before there can be any object of it. */
async function applyDefinitions(addon: Addon, kubectl: readonly string[]): Promise<void> {
  if (addon.definitions === undefined) return
  const [module, folder] = addon.definitions
  const resource = join(await moduleSource(addon.module, module), folder)
  await apply(addon, kubectl, { name: `definitions-${addon.folder}`, resource, images: [] })
  const established = ['wait', '--for=condition=Established', 'customresourcedefinitions']
  await waitUntil(addon, kubectl, [...established, `--selector=${OWNER}=${owner}`])
}

interface Application {
  /** Of the folder in which kustomize is told what to do. */
  readonly name: string
  readonly resource: string
  readonly images: readonly object[]
}

async function apply(
  addon: Addon,
  kubectl: readonly string[],
  { name, resource, images }: Application,
): Promise<void> {
  const folder = join(places.work, name)
  mkdirSync(folder, { recursive: true })
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [relative(folder, resource)], // kustomize takes no absolute path
    images,
    labels: [{ pairs: { [OWNER]: owner } }],
  }
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization))
  const flags = ['--server-side', '--force-conflicts', '--field-manager=todo-deploy-lab']
  await run([...kubectl, 'apply', ...flags, '--kustomize', folder], {
    timeoutSeconds: APPLY_SECONDS,
    log: `addon-${addon.folder}.log`,
  })
}

/** What kustomize is told of an image by tag. */
export function imageEntry(
  name: string,
  image: string,
): { name: string; newName: string; newTag: string } {
  const at = image.lastIndexOf(':')
  return { name, newName: image.slice(0, at), newTag: image.slice(at + 1) }
}

/** What runs of the add-ons: lines of "name ready of wanted". */
export async function listAddons(kubectl: string): Promise<string[]> {
  const counts = (ready: string, wanted: string): string =>
    `{range .items[*]}{.metadata.name} {${ready}} of {${wanted}}{"\\n"}{end}`
  const ask = askWith(kubectlArguments(kubectl))
  const answer = (kind: string, path: string): Promise<string> =>
    ask(kind, '--all-namespaces', `--selector=${OWNER}=${owner}`, '--output', `jsonpath=${path}`)
  const lines = await Promise.all([
    answer('deployments', counts('.status.readyReplicas', '.spec.replicas')),
    answer('daemonsets', counts('.status.numberReady', '.status.desiredNumberScheduled')),
  ])
  return lines.flatMap((some) => some.split('\n')).filter((line) => line !== '')
}
