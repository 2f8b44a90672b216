import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import type { Environment } from '../environments/environments.ts'
import { refuse, UserError } from '../errors.ts'
import { canonicalJson, isObject, listAt } from '../json.ts'
import { sha256 } from '../registry/client.ts'
import { parseReference } from '../registry/reference.ts'
import type { Files } from '../release/archive.ts'
import type { ImageSet } from '../release/imageset.ts'
import { kustomizeImages } from '../release/lockforms.ts'
import type { World } from '../world.ts'
import { imagesOf, type KubeObject, nameOf, parseManifests } from './manifest.ts'

const RENDER_TIMEOUT_S = 60
/** The folder of the kustomization that is written over the user's overlay. */
const TOP = 'todo-deploy-render'

/**
 * Renders an environment of a manifest tree with the images of a set: namespace and components of the environment, images by
 * digest, Jobs named by content. Throws `UserError` where an image has no digest.
 */
export async function renderEnvironment(
  source: { readonly manifests: Files; readonly images: ImageSet },
  environment: Environment,
  world: World,
): Promise<readonly KubeObject[]> {
  const folder = join(world.workspace, `render-${environment.namespace}`)
  await rm(folder, { recursive: true, force: true })
  await writeFiles(folder, source.manifests)
  await mkdir(join(folder, TOP))
  const kustomization = stringify(topKustomization(source.images, environment))
  await writeFile(join(folder, TOP, 'kustomization.yaml'), kustomization)
  const kustomize = await world.tools('kustomize')
  const result = await world.run(
    { argv: [kustomize, 'build', join(folder, TOP)], timeoutSeconds: RENDER_TIMEOUT_S },
    world.signal,
  )
  if (result.status !== 0) {
    const cause = result.stderr.trim().replaceAll(`${folder}/`, '')
    throw new UserError(
      `The overlay ${environment.overlay} does not render: ${cause.split('\n').at(-1) ?? ''}`,
      cause.split('\n'),
    )
  }
  const objects = parseManifests(result.stdout, `the overlay ${environment.overlay}`)
  requireDigests(objects)
  return nameJobsByContent(objects).map((object) => prefixHosts(object, environment.hostPrefix))
}

/** What is laid over the user's overlay (pure, so that a test can read it). */
export function topKustomization(images: ImageSet, environment: Environment): unknown {
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: environment.namespace,
    resources: [`../${environment.overlay}`],
    components: environment.components.map((component) => `../${component}`),
    images: kustomizeImages(images),
  }
}

async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [name, content] of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), content)
  }
}

function requireDigests(objects: readonly KubeObject[]): void {
  const problems = objects.flatMap((object) =>
    imagesOf(object)
      .filter((image) => parseReference(image).digest === undefined)
      .map((image) => `${nameOf(object)} runs "${image}", which has no digest`),
  )
  if (problems.length > 0)
    refuse('Images are deployed by digest, and the release lacks some', problems)
}

/** A Job can't be changed once it ran: another content is another Job, the same content is done already. */
function nameJobsByContent(objects: readonly KubeObject[]): readonly KubeObject[] {
  return objects.map((object) => {
    if (object.kind !== 'Job') return object
    const hash = sha256(Buffer.from(canonicalJson(object['spec']))).slice(7, 15)
    return { ...object, metadata: { ...object.metadata, name: `${object.metadata.name}-${hash}` } }
  })
}

/** Two routes with one host would fight over it; a preview's hosts are its own. */
function prefixHosts(object: KubeObject, prefix: string): KubeObject {
  if (prefix === '') return object
  const own = (host: unknown) => (typeof host === 'string' ? `${prefix}${host}` : host)
  const spec = isObject(object['spec']) ? object['spec'] : {}
  if (object.kind === 'HTTPRoute') {
    const hostnames = listAt(spec, 'hostnames').map(own)
    return { ...object, spec: { ...spec, ...(hostnames.length === 0 ? {} : { hostnames }) } }
  }
  if (object.kind !== 'Ingress') return object
  const rules = listAt(spec, 'rules').map((rule) =>
    isObject(rule) ? { ...rule, host: own(rule['host']) } : rule,
  )
  const tls = listAt(spec, 'tls').map((entry) =>
    isObject(entry) ? { ...entry, hosts: listAt(entry, 'hosts').map(own) } : entry,
  )
  return { ...object, spec: { ...spec, rules, ...(tls.length === 0 ? {} : { tls }) } }
}
