import { refuse, UserError } from '../errors.ts'
import { at, isObject, listAt, textAt } from '../json.ts'
import { parseKubernetesYaml, splitDocuments, YamlFault } from '../yaml.ts'

/** One Kubernetes object, as it will be sent: raw JSON, nothing typed away. */
export type KubeObject = {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly [key: string]: unknown
  }
  readonly [key: string]: unknown
}

/** `Deployment todo-app-dev/backend`: how objects are named to people. */
export function nameOf(object: KubeObject): string {
  const { name, namespace } = object.metadata
  return `${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
}

/** Group, kind, namespace and name: what makes two objects the same one. */
export function keyOf(object: KubeObject): string {
  const { name, namespace = '' } = object.metadata
  const group = object.apiVersion.includes('/') ? (object.apiVersion.split('/')[0] ?? '') : ''
  return [group, object.kind, namespace, name].join('|')
}

/** Parses rendered YAML. Broken documents, objects without identity and duplicates are refused, all at once. */
export function parseManifests(yaml: string, what: string): readonly KubeObject[] {
  const problems: string[] = []
  const parse = (text: string, number: number) => {
    try {
      return parseKubernetesYaml(text)
    } catch (error) {
      if (!(error instanceof YamlFault)) throw error
      problems.push(`document ${number}: ${error.message}`)
      return undefined
    }
  }
  const documents = splitDocuments(yaml).filter((text) => text.trim() !== '')
  const objects = documents.flatMap((text, index) => {
    const data = parse(text, index + 1)
    if (data === null || data === undefined) return []
    const found = textAt(data, 'kind') === 'List' ? listAt(data, 'items') : [data]
    return found.flatMap((item) => {
      const object = asObject(item)
      if (object === undefined) problems.push(`document ${index + 1} ${faultOf(item)}`)
      return object === undefined ? [] : [object]
    })
  })
  const seen = new Set<string>()
  for (const object of objects) {
    if (seen.has(keyOf(object))) problems.push(`${nameOf(object)} is there twice`)
    seen.add(keyOf(object))
  }
  if (problems.length > 0) refuse(what, problems)
  if (objects.length === 0) throw new UserError(`${what} renders to nothing; nothing was changed`)
  return objects
}

/** The pod template of a workload, or the pod itself, or undefined. */
export function podSpecOf(object: KubeObject): unknown {
  if (object.kind === 'Pod') return at(object, 'spec')
  const workload = object.kind === 'CronJob' ? at(object, 'spec', 'jobTemplate') : object
  return at(workload, 'spec', 'template', 'spec')
}

/** Every image a workload would run, init containers included. */
export function imagesOf(object: KubeObject): readonly string[] {
  const spec = podSpecOf(object)
  return ['initContainers', 'containers'].flatMap((key) =>
    listAt(spec, key).flatMap((container) => textAt(container, 'image') ?? []),
  )
}

function faultOf(item: unknown): string {
  const kind = textAt(item, 'kind') ?? ''
  if (kind.endsWith('List') && Array.isArray(at(item, 'items')))
    return `is a ${kind}; write its items as documents of their own`
  if (textAt(item, 'metadata', 'generateName') !== undefined)
    return `has generateName, so each deploy would make another ${kind}; give it a name`
  return 'lacks apiVersion, kind or name'
}

function asObject(item: unknown): KubeObject | undefined {
  const known =
    textAt(item, 'apiVersion') !== undefined &&
    textAt(item, 'kind') !== undefined &&
    textAt(item, 'metadata', 'name') !== undefined
  return known && isObject(item) ? (item as KubeObject) : undefined
}

/** Whether an object is a Service that selects the pods of a workload. */
export function selects(service: KubeObject, workload: KubeObject): boolean {
  const selector = Object.entries(at(service, 'spec', 'selector') ?? {})
  const labels = at(workload, 'spec', 'template', 'metadata', 'labels')
  return (
    service.kind === 'Service' &&
    service.metadata.namespace === workload.metadata.namespace &&
    selector.length > 0 &&
    selector.every(([key, value]) => at(labels, key) === value)
  )
}
