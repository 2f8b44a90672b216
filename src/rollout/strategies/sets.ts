import type { Strategy } from '../../environments/strategy.ts'
import { at, canonicalJson, isObject, listAt, numberAt, textAt } from '../../json.ts'
import { sha256 } from '../../registry/client.ts'
import { type KubeObject, selects } from '../../render/manifest.ts'
import { labelsIn, SET, TRACK, WORKLOAD } from './labels.ts'

/** On a Deployment: `rolling` keeps it out of blue-green and canary. */
export const OPT_OUT = 'todo-deploy.dev/strategy'
/** How many pods the manifests want. It is no field of the set: the autoscaler or a canary counts there. */
export const REPLICAS = 'todo-deploy.dev/replicas'

/** A name of a Deployment becomes a label value of its pods, and the ends of their names. */
const LONGEST_NAME = 54

/**
 * The objects of a release as a strategy wants them in the end. With `rolling` they stay as they are. Else each Deployment behind a
 * Service becomes a set: a Deployment of its own for each content, `<name>-<hash>`; its Services select the pods of that set only, a
 * second Service `<service>-preview` does too, and autoscalers point at it. Nothing else is touched, so labels, budgets, network
 * policies and spread constraints mean the pods of all sets.
 */
export function asSets(objects: readonly KubeObject[], strategy: Strategy): readonly KubeObject[] {
  if (strategy.type === 'rolling') return objects
  const sets = new Map(
    objects
      .filter((object) => takesSets(object, objects))
      .map((object) => [placeOf(object), { object, hash: hashOf(object) }]),
  )
  return objects.flatMap((object) => {
    const own = sets.get(placeOf(object))
    if (object.kind === 'Deployment' && own !== undefined) return [asSet(object, own.hash)]
    if (object.kind === 'Service') return servicesOf(object, [...sets.values()])
    return [
      retarget(object, (name) => {
        const target = sets.get(`${object.metadata.namespace ?? ''}/${name}`)
        return target === undefined ? name : setName(name, target.hash)
      }),
    ]
  })
}

/**
 * Whether a Deployment takes requests that can be shifted: it is alone behind a Service with an address of its own, two versions of
 * it may run at once, and nobody has asked for it to be left out.
 */
export function takesSets(object: KubeObject, objects: readonly KubeObject[]): boolean {
  if (object.kind !== 'Deployment') return false
  if (object.metadata.annotations?.[OPT_OUT] === 'rolling') return false
  if (textAt(object, 'spec', 'strategy', 'type') === 'Recreate') return false
  if (at(object, 'spec', 'replicas') === 0) return false
  const services = objects.filter((service) => selects(service, object))
  return services.length > 0 && services.every((service) => isAlone(object, service, objects))
}

/** The Deployments of a list whose pods a Service selects. */
export function behind(service: KubeObject, objects: readonly KubeObject[]): readonly KubeObject[] {
  return objects.filter((object) => object.kind === 'Deployment' && selects(service, object))
}

/** Whether an object was a set, or an ordinary Deployment, of a workload that these objects have in another form. */
export function isReplacedSet(object: KubeObject, objects: readonly KubeObject[]): boolean {
  if (object.kind !== 'Deployment') return false
  const workload = workloadOf(object)
  return objects.some(
    (other) =>
      other.kind === 'Deployment' &&
      other.metadata.namespace === object.metadata.namespace &&
      workloadOf(other) === workload &&
      other.metadata.name !== object.metadata.name,
  )
}

/** A Deployment of a set: nothing in the object says how many pods it has. */
export function isSet(object: KubeObject): boolean {
  return (
    object.kind === 'Deployment' && textAt(object, 'metadata', 'labels', WORKLOAD) !== undefined
  )
}

/** The name that the release gives the workload of a Deployment. */
export function workloadOf(deployment: unknown): string {
  const label = textAt(deployment, 'metadata', 'labels', WORKLOAD)
  return label ?? textAt(deployment, 'metadata', 'name') ?? ''
}

/** Whether an object is an autoscaler of a Deployment. */
export function scales(object: KubeObject, deployment: string): boolean {
  return (
    object.kind === 'HorizontalPodAutoscaler' &&
    textAt(object, 'spec', 'scaleTargetRef', 'name') === deployment
  )
}

/** What the manifests say about the number of pods, if they say anything. */
export function wantedReplicas(deployment: KubeObject): number | undefined {
  const noted = deployment.metadata.annotations?.[REPLICAS]
  return noted === undefined ? numberAt(deployment, 'spec', 'replicas') : Number(noted)
}

export function previewName(service: string): string {
  return `${service}-preview`
}

export function podLabelsOf(deployment: unknown): Readonly<Record<string, string>> {
  return labelsIn(at(deployment, 'spec', 'template', 'metadata', 'labels'))
}

export function selectorOf(service: unknown): Readonly<Record<string, string>> {
  return labelsIn(at(service, 'spec', 'selector'))
}

/** A Service whose selector decides where requests go: not a headless one, nor one without a selector. */
export function isShiftable(service: unknown): boolean {
  const hasSelector = Object.keys(selectorOf(service)).length > 0
  const isHeadless = textAt(service, 'spec', 'clusterIP') === 'None'
  return hasSelector && !isHeadless && textAt(service, 'spec', 'type') !== 'ExternalName'
}

/** A Service for several workloads, or a headless one, can't be narrowed to one set. */
function isAlone(
  deployment: KubeObject,
  service: KubeObject,
  objects: readonly KubeObject[],
): boolean {
  if (!isShiftable(service)) return false
  const workloads = objects.filter(
    (object) => at(object, 'spec', 'template') !== undefined && selects(service, object),
  )
  return workloads.every((object) => object === deployment)
}

function asSet(object: KubeObject, hash: string): KubeObject {
  const { name } = object.metadata
  const spec = part(object['spec'])
  const { replicas, ...rest } = spec
  const template = part(spec['template'])
  const metadata = part(template['metadata'])
  const count = typeof replicas === 'number' ? { [REPLICAS]: String(replicas) } : {}
  const annotations = { ...object.metadata.annotations, ...count }
  return {
    ...object,
    metadata: {
      ...object.metadata,
      name: setName(name, hash),
      labels: { ...object.metadata.labels, [WORKLOAD]: name },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: {
      ...rest,
      selector: {
        ...part(spec['selector']),
        matchLabels: { ...part(at(spec, 'selector', 'matchLabels')), [SET]: hash },
      },
      template: {
        ...template,
        metadata: { ...metadata, labels: { ...part(metadata['labels']), [SET]: hash } },
      },
    },
  }
}

function servicesOf(
  service: KubeObject,
  sets: readonly { readonly object: KubeObject; readonly hash: string }[],
): readonly KubeObject[] {
  const own = sets.find(({ object }) => selects(service, object))
  if (own === undefined) return [service]
  const spec = part(service['spec'])
  const selector = { ...selectorOf(service), [SET]: own.hash }
  const ports = listAt(spec, 'ports').map((port) => {
    const { nodePort: _nodePort, ...rest } = part(port)
    return rest
  })
  // For tests from inside, so nothing of the outside is repeated: no address, no node port, no annotations of a load balancer.
  const preview: KubeObject = {
    apiVersion: service.apiVersion,
    kind: service.kind,
    metadata: {
      name: previewName(service.metadata.name),
      ...(service.metadata.namespace === undefined
        ? {}
        : { namespace: service.metadata.namespace }),
      labels: { ...service.metadata.labels, [TRACK]: 'preview' },
    },
    spec: { selector, ports },
  }
  return [{ ...service, spec: { ...spec, selector } }, preview]
}

/** Autoscalers name the Deployment that they scale: `scaleTargetRef`, or `targetRef` of a vertical one. */
function retarget(object: KubeObject, nameFor: (name: string) => string): KubeObject {
  const spec = part(object['spec'])
  const key = ['scaleTargetRef', 'targetRef'].find(
    (found) => textAt(spec, found, 'kind') === 'Deployment',
  )
  if (key === undefined) return object
  const target = part(spec[key])
  const name = nameFor(textAt(target, 'name') ?? '')
  return { ...object, spec: { ...spec, [key]: { ...target, name } } }
}

/** Of everything that makes its pods what they are; how many there are is no part of it. */
function hashOf(object: KubeObject): string {
  const { replicas: _replicas, ...spec } = part(object['spec'])
  return sha256(Buffer.from(canonicalJson(spec))).slice('sha256:'.length, 'sha256:'.length + 8)
}

function setName(name: string, hash: string): string {
  return `${name.slice(0, LONGEST_NAME)}-${hash}`
}

function placeOf({ kind, metadata: { name, namespace = '' } }: KubeObject): string {
  return kind === 'Deployment' ? `${namespace}/${name}` : ''
}

function part(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {}
}
