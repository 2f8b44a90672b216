import { keyOf, type KubeObject, nameOf } from './manifest.ts'

/** `Kind/name` of the same namespace, separated by commas. */
const OWN = 'todo-deploy.dev/depends-on'
/** `group/namespaces/namespace/Kind/name` (the core group is empty), as kpt and others read it. */
const SHARED = 'config.kubernetes.io/depends-on'
/** What a deploy appends to the name of a Job. */
const JOB_HASH = /-[0-9a-f]{8}$/
/** What a strategy calls a Deployment in the manifests, where its own name has a hash. */
const WORKLOAD = 'todo-deploy.dev/workload'

export type Dependencies = {
  /** What has to be ready before this object is written. */
  of: (object: KubeObject) => readonly KubeObject[]
  /** What can't be followed: names of nobody, and circles. */
  readonly problems: readonly string[]
}

/** Who waits for whom, as annotations say. */
export function dependenciesOf(objects: readonly KubeObject[]): Dependencies {
  const needs = new Map<string, readonly KubeObject[]>()
  const problems: string[] = []
  for (const object of objects) {
    const found = referencesOf(object).flatMap(({ text, fits }) => {
      const needed = fits === undefined ? undefined : objects.find(fits)
      if (fits === undefined)
        problems.push(
          `${nameOf(object)} depends on "${text}", which names nothing: write ${OWN}: Kind/name, or ${SHARED}: group/namespaces/namespace/Kind/name`,
        )
      else if (needed === undefined)
        problems.push(`${nameOf(object)} depends on "${text}", which is not in this release`)
      return needed === undefined ? [] : [needed]
    })
    if (found.length > 0) needs.set(keyOf(object), found)
  }
  const of = (object: KubeObject) => needs.get(keyOf(object)) ?? []
  const done = new Set<string>()
  for (const object of objects) {
    const circle = circleFrom(object, [], { of, done })
    if (circle !== undefined)
      problems.push(`these wait for each other: ${circle.map(nameOf).join(' → ')}`)
  }
  return { of, problems }
}

type Reference = {
  readonly text: string
  readonly fits: ((other: KubeObject) => boolean) | undefined
}

function referencesOf(object: KubeObject): readonly Reference[] {
  const listed = (key: string) =>
    (object.metadata.annotations?.[key] ?? '')
      .split(',')
      .map((text) => text.trim())
      .filter((text) => text !== '')
  return [
    ...listed(OWN).map((text): Reference => {
      const [kind, name, ...more] = text.split('/')
      if (kind === undefined || name === undefined || more.length > 0)
        return { text, fits: undefined }
      const { namespace } = object.metadata
      return { text, fits: (other) => isNamed(other, { kind, name, namespace }) }
    }),
    ...listed(SHARED).map((text) => sharedReference(text)),
  ]
}

function sharedReference(text: string): Reference {
  const parts = text.split('/')
  const isNamespaced = parts.length === 5 && parts[1] === 'namespaces'
  if (!isNamespaced && parts.length !== 3) return { text, fits: undefined }
  const [group = ''] = parts
  const [kind = '', name = ''] = parts.slice(-2)
  const namespace = isNamespaced ? parts[2] : undefined
  const fits = (other: KubeObject) =>
    keyOf(other).split('|')[0] === group && isNamed(other, { kind, name, namespace })
  return { text, fits }
}

function isNamed(
  { kind, metadata }: KubeObject,
  wanted: {
    readonly kind: string
    readonly name: string
    readonly namespace: string | undefined
  },
): boolean {
  if (kind !== wanted.kind) return false
  // What belongs to the whole cluster may be named from within a namespace.
  if (metadata.namespace !== undefined && metadata.namespace !== wanted.namespace) return false
  const { name } = metadata
  if (kind === 'Deployment' && metadata.labels?.[WORKLOAD] === wanted.name) return true
  return name === wanted.name || (kind === 'Job' && name.replace(JOB_HASH, '') === wanted.name)
}

function circleFrom(
  object: KubeObject,
  path: readonly KubeObject[],
  known: { readonly of: (object: KubeObject) => readonly KubeObject[]; readonly done: Set<string> },
): readonly KubeObject[] | undefined {
  if (path.includes(object)) return [...path.slice(path.indexOf(object)), object]
  if (known.done.has(keyOf(object))) return undefined
  known.done.add(keyOf(object))
  for (const needed of known.of(object)) {
    const circle = circleFrom(needed, [...path, object], known)
    if (circle !== undefined) return circle
  }
  return undefined
}
