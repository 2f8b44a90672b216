import type { Environment } from '../environments/environments.ts'
import { refuse } from '../errors.ts'
import { canonicalJson, isObject, listAt } from '../json.ts'
import { sha256 } from '../registry/client.ts'
import { parseReference } from '../registry/reference.ts'
import type { Files } from '../release/archive.ts'
import type { ImageSet } from '../release/imageset.ts'
import type { World } from '../world.ts'
import { renderChart } from './helm.ts'
import { renderOverlay } from './kustomize.ts'
import { imagesOf, type KubeObject, nameOf } from './manifest.ts'

/** What is rendered, and for which cluster. */
export type RenderSource = {
  readonly manifests: Files
  readonly images: ImageSet
  /** Whether the environment has a release already: charts render an upgrade otherwise than an installation. */
  readonly isUpgrade?: boolean
  /** What a chart may ask about the cluster. */
  readonly cluster?: { readonly version: string; readonly apiVersions: readonly string[] }
}

/** The same as `renderObjects`, for those who want nothing without a digest: throws `UserError` then. */
export async function renderEnvironment(
  source: RenderSource,
  environment: Environment,
  world: World,
): Promise<readonly KubeObject[]> {
  const objects = await renderObjects(source, environment, world)
  const problems = digestProblems(objects)
  if (problems.length > 0) refuse(WITHOUT_DIGEST, problems)
  return objects
}

export const WITHOUT_DIGEST = 'Images are deployed by digest, and the release lacks some'

/**
 * Renders an environment of a manifest tree with the images of a set, from its overlay or its chart: in its namespace, images by
 * digest, Jobs named by content.
 */
export async function renderObjects(
  source: RenderSource,
  environment: Environment,
  world: World,
): Promise<readonly KubeObject[]> {
  const { chart } = environment
  const objects =
    chart === undefined
      ? await renderOverlay(source, environment, world)
      : await renderChart(source, { ...environment, chart }, world)
  return nameJobsByContent(objects).map((object) => prefixHosts(object, environment.hostPrefix))
}

/** Images that are named by a tag or not at all; nothing is thrown for what is found. */
export function digestProblems(objects: readonly KubeObject[]): readonly string[] {
  return objects.flatMap((object) =>
    imagesOf(object)
      .filter((image) => !image.includes('@') || parseReference(image).digest === undefined)
      .map((image) => `${nameOf(object)} runs "${image}", which has no digest`),
  )
}

/** A Job can't be changed once it ran: another content is another Job, the same content is done already. */
function nameJobsByContent(objects: readonly KubeObject[]): readonly KubeObject[] {
  return objects.map((object) => {
    if (object.kind !== 'Job') return object
    const hash = sha256(Buffer.from(canonicalJson(object['spec']))).slice(7, 15)
    const { name } = object.metadata
    // A chart may have named it so itself.
    if (name.endsWith(`-${hash}`)) return object
    return { ...object, metadata: { ...object.metadata, name: `${name}-${hash}` } }
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
