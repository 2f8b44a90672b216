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
    ready: [
      ['wait', '--for=condition=Established', 'crd/externalsecrets.external-secrets.io'],
      ['rollout', 'status', 'deployment/external-secrets'],
    ],
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
  const folder = writeKustomization(addon, image, await findDefinitions(addon))
  const apply = ['apply', '--server-side', '--force-conflicts', '--field-manager=todo-deploy-lab']
  await run([...argv, ...apply, '--kustomize', folder], {
    timeoutSeconds: APPLY_SECONDS,
    log: `addon-${addon.folder}.log`,
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

async function findDefinitions({ module, definitions }: Addon): Promise<string | undefined> {
  if (definitions === undefined) return undefined
  const [name, folder] = definitions
  return join(await moduleSource(module, name), folder)
}

// kustomize puts the image in; its folders must be relative to the one of its own file.
function writeKustomization(addon: Addon, image: string, definitions: string | undefined): string {
  const folder = join(places.work, `addon-${addon.folder}`)
  mkdirSync(folder, { recursive: true })
  const resources = [join(source, 'addons', addon.folder), definitions].filter(
    (one) => one !== undefined,
  )
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: resources.map((one) => relative(folder, one)),
    images: [imageEntry(addon.program, image)],
    labels: [{ pairs: { [OWNER]: owner } }],
  }
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization))
  return folder
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
