import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Environment } from '../environments/environments.ts'
import { messageOf, refuse, UserError } from '../errors.ts'
import { at, isObject, textAt } from '../json.ts'
import { parseReference } from '../registry/reference.ts'
import type { Files } from '../release/archive.ts'
import type { ImageSet } from '../release/imageset.ts'
import type { World } from '../world.ts'
import { parseKubernetesYaml } from '../yaml.ts'
import { layOutFiles } from './folder.ts'
import { placeHooks } from './hooks.ts'
import { type KubeObject, parseManifests } from './manifest.ts'
import type { RenderSource } from './render.ts'

const RENDER_TIMEOUT_S = 60
const IMAGE_VALUES = 'todo-deploy-images.values.json'
/** Kinds of Kubernetes that are in no namespace; a chart may leave the namespace out of all others. */
const CLUSTER_KINDS =
  /^(Namespace|CustomResourceDefinition|ClusterRole|ClusterRoleBinding|PersistentVolume|StorageClass|PriorityClass|IngressClass|GatewayClass|RuntimeClass|APIService|CSIDriver|ClusterIssuer|ClusterSecretStore|(Validating|Mutating)(WebhookConfiguration|AdmissionPolicy(Binding)?))$/

/**
 * Renders the chart of an environment with the pinned helm: CRDs of `crds/` included, hooks as Jobs before or after the workloads,
 * images by the digests of the set. What a chart asks of its cluster is answered for the real one. `lookup` finds nothing.
 */
export async function renderChart(
  source: RenderSource,
  environment: Environment & Required<Pick<Environment, 'chart'>>,
  world: World,
): Promise<readonly KubeObject[]> {
  const { path, values } = environment.chart
  const missing = [`${path}/Chart.yaml`, ...values].filter((name) => !source.manifests.has(name))
  if (missing.length > 0)
    refuse(
      'The manifest tree lacks files of the chart',
      missing.map((name) => `there is no ${name}`),
    )
  const folder = join(world.workspace, `chart-${environment.namespace}`)
  layOutFiles(folder, source.manifests)
  const chart = join(folder, path)
  const imageFlags = await imageValues(source, path, folder)
  const { cluster } = source
  const argv = [
    ...['template', releaseName(path), chart, '--namespace', environment.namespace],
    '--include-crds',
    ...(source.isUpgrade === true ? ['--is-upgrade'] : []),
    ...(cluster === undefined ? [] : ['--kube-version', cluster.version]),
    ...(cluster?.apiVersions ?? []).flatMap((version) => ['--api-versions', version]),
    ...values.flatMap((name) => ['--values', join(folder, name)]),
    ...imageFlags,
  ]
  const result = await world.run(
    { argv: [await world.tools('helm'), ...argv], timeoutSeconds: RENDER_TIMEOUT_S },
    world.signal,
  )
  if (result.status !== 0) {
    const cause = result.stderr.trim().replaceAll(`${folder}/`, '')
    throw new UserError(
      `The chart ${path} does not render: ${cause.split('\n')[0] ?? ''}`,
      cause.split('\n'),
    )
  }
  const objects = parseManifests(result.stdout, `the chart ${path}`)
  const hooks = placeHooks(objects, source.isUpgrade === true)
  for (const line of hooks.said) world.progress.say(line)
  return hooks.objects
    .map((object) => withNamespace(object, environment.namespace))
    .map((object) => withDigests(object, source.images) as KubeObject)
}

function releaseName(path: string): string {
  return path.split('/').at(-1) ?? path
}

/** A chart that takes `global.images` (name → reference) gets them as values; a schema of another chart might refuse them. */
async function imageValues(
  { manifests, images }: RenderSource,
  path: string,
  folder: string,
): Promise<readonly string[]> {
  const defaults = readValues(manifests, `${path}/values.yaml`)
  if (at(defaults, 'global', 'images') === undefined) return []
  const references = Object.entries(images.images).map(([name, image]) => [name, image.reference])
  const file = join(folder, IMAGE_VALUES)
  const values = { global: { images: Object.fromEntries(references) as unknown } }
  await writeFile(file, JSON.stringify(values))
  return ['--values', file]
}

function readValues(manifests: Files, file: string): unknown {
  try {
    return parseKubernetesYaml(manifests.get(file)?.toString() ?? '')
  } catch (error) {
    return refuse(`${file} is not valid YAML`, [messageOf(error)])
  }
}

function withNamespace(object: KubeObject, namespace: string): KubeObject {
  if (object.metadata.namespace !== undefined || CLUSTER_KINDS.test(object.kind)) return object
  return { ...object, metadata: { ...object.metadata, namespace } }
}

/** Images that are named as the set names them, or that lie where it has them, get its digests. */
function withDigests(value: unknown, images: ImageSet): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => withDigests(item, images))
  if (!isObject(value)) return value
  const isContainer = textAt(value, 'image') !== undefined && textAt(value, 'name') !== undefined
  return Object.fromEntries(
    Object.entries(value).map(([key, held]) => [
      key,
      key === 'image' && isContainer ? digestOf(String(held), images) : withDigests(held, images),
    ]),
  )
}

function digestOf(image: string, images: ImageSet): string {
  if (image.includes('@')) return image
  const plain = image.replace(/:[^/:]+$/, '')
  const found = Object.entries(images.images).find(([name, { reference }]) => {
    const { registry, repository } = parseReference(reference)
    return plain === name || plain === `${registry}/${repository}`
  })
  return found?.[1].reference ?? image
}
