import { toYaml } from '../../../src/yaml.ts'
import {
  type Environment,
  findEnvironment,
  previewEnvironment,
  readEnvironments,
} from '../../../src/environments/environments.ts'
import { at } from '../../../src/json.ts'
import { readManifests, type Release } from '../../../src/release/release.ts'
import { renderEnvironment } from '../../../src/render/render.ts'
import type { KubeObject } from '../../../src/render/manifest.ts'
import type { DeployOptions } from '../../../src/rollout/outcome.ts'
import type { World } from '../../../src/world.ts'

/** Long enough for a busy machine; failures end earlier, by their cause. */
const DEPLOY_S = 240

/** What is deployed: the whole environment from its overlay, or a variant of its objects. */
export type Stack = {
  readonly environment: Environment
  readonly objects: readonly KubeObject[]
  readonly options: (identity: string, mode?: 'apply' | 'plan') => DeployOptions
  readonly variant: (identity: string, objects: readonly KubeObject[]) => DeployOptions
}

/** An environment of a manifest folder, with the images of a release. */
export async function readStack(
  place: { readonly folder: string; readonly name: string; readonly preview?: string },
  { images }: Release,
  world: World,
): Promise<Stack> {
  const manifests = await readManifests(place.folder)
  const environments = readEnvironments(manifests)
  const environment =
    place.preview === undefined
      ? findEnvironment(environments, place.name)
      : previewEnvironment(environments, place.preview)
  const base = {
    application: environments.application,
    timeoutSeconds: DEPLOY_S,
    prune: true,
    onFailure: 'rollback',
  } as const
  return {
    environment,
    objects: await renderEnvironment({ manifests, images }, environment, world),
    options: (identity, mode = 'apply') => ({
      ...base,
      ...{ environment, mode, holder: identity, source: { identity, manifests, images } },
    }),
    variant: (identity, objects) => {
      // The same place: what comes from another one would be left alone.
      const { overlay } = environment
      const yaml = objects.map((object) => toYaml(withoutHash(object))).join('---\n')
      const files = new Map([
        [`${overlay}/kustomization.yaml`, Buffer.from('resources: [all.yaml]\n')],
        [`${overlay}/all.yaml`, Buffer.from(yaml)],
      ])
      return {
        ...{ ...base, mode: 'apply', holder: identity },
        environment: { ...environment, components: [] },
        source: { identity, manifests: files, images },
      }
    },
  }
}

/** Its database can't start: what comes before it is there already. */
export function withoutDatabase(objects: readonly KubeObject[]): readonly KubeObject[] {
  return change(objects, 'StatefulSet', (container) => {
    container['command'] = ['/there/is/no/such/program']
  })
}

/** Its backend crashes, and it brings a ConfigMap and a Secret that are new. */
export function withCrash(objects: readonly KubeObject[]): readonly KubeObject[] {
  const fresh = ['ConfigMap', 'Secret'].map((kind): KubeObject => {
    const namespace = objects.find(({ kind: found }) => found === 'Deployment')?.metadata.namespace
    return { apiVersion: 'v1', kind, metadata: { name: 'new', namespace: namespace ?? '' } }
  })
  const crashing = change(objects, 'Deployment', (container) => {
    if (container['name'] === 'backend')
      container['command'] = ['python3', '-c', 'import nothing_at_all']
  })
  return [...crashing, ...fresh]
}

/** Lacks one object of each kind that nobody needs to live; not more than a deploy removes at once. */
export function smaller(objects: readonly KubeObject[]): readonly KubeObject[] {
  const dropped = [
    /^HorizontalPodAutoscaler frontend$/,
    /^(Deployment|Service|ServiceAccount|NetworkPolicy|PodDisruptionBudget) local-model/,
    /^Job database-migrate/,
    /^Ingress /,
  ]
  return objects.filter(
    ({ kind, metadata }) => !dropped.some((pattern) => pattern.test(`${kind} ${metadata.name}`)),
  )
}

/** What is there without any pod. */
export function withoutPods(objects: readonly KubeObject[]): readonly KubeObject[] {
  const kinds = ['Namespace', 'ServiceAccount', 'ConfigMap', 'Secret', 'NetworkPolicy']
  return objects.filter(({ kind }) => kinds.includes(kind))
}

function change(
  objects: readonly KubeObject[],
  kind: string,
  edit: (container: Record<string, unknown>) => void,
): readonly KubeObject[] {
  return objects.map((object) => {
    if (object.kind !== kind) return object
    const copy = structuredClone(object)
    edit(at(copy, 'spec', 'template', 'spec', 'containers', 0) as Record<string, unknown>)
    return copy
  })
}

/** A rendered Job has the hash of its content in its name already, and is given it again. */
function withoutHash(object: KubeObject): KubeObject {
  if (object.kind !== 'Job') return object
  const name = object.metadata.name.replace(/-[a-f0-9]{8}$/, '')
  return { ...object, metadata: { ...object.metadata, name } }
}
