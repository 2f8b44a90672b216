import { at, isObject, listAt, textAt } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'
import type { Rule } from './rule.ts'
import { isNeighbour } from './selector.ts'
import { type Container, type Manifests, ofKind, type Workload } from './workload.ts'

/** Annotation of a Namespace: what is put there outside the release, such as `Secret/todo-secrets, ConfigMap/ca`. */
export const PROVIDED = 'todo-deploy.dev/provided'

export const referencesRule: Rule = {
  name: 'references',
  claim: `What pods refer to is in the release with the keys they want, or named by "${PROVIDED}".`,
  check: (manifests) =>
    manifests.workloads.flatMap((workload) => {
      const { object } = workload
      return referencesOf(workload).flatMap(({ kind, name, keys, path }) => {
        const source = sourceOf({ kind, name }, object, manifests)
        if (source === undefined)
          return [
            {
              object,
              path,
              message: `there is no ${kind} ${name}; add it, or name it in the Namespace's annotation ${PROVIDED}`,
            },
          ]
        return keys
          .filter((key) => source.keys !== 'unknown' && !source.keys.includes(key))
          .map((key) => ({ object, path, message: `${kind} ${name} has no key ${key}; add it` }))
      })
    }),
}

type Reference = {
  readonly kind: 'ConfigMap' | 'Secret' | 'PersistentVolumeClaim'
  readonly name: string
  readonly keys: readonly string[]
  readonly path: string
}

function referencesOf(workload: Workload): readonly Reference[] {
  const { pod, path, containers } = workload
  const pulls = listAt(pod, 'imagePullSecrets').map((entry) => ({
    entry: { secretName: textAt(entry, 'name') },
    path: `${path}.imagePullSecrets`,
  }))
  const volumes = listAt(pod, 'volumes').flatMap((volume) => {
    const where = `${path}.volumes[${textAt(volume, 'name') ?? '?'}]`
    const projected = listAt(volume, 'projected', 'sources')
    return [volume, ...projected].flatMap((entry) => [
      { entry: at(entry, 'secret'), kind: 'Secret', path: where } as const,
      { entry: at(entry, 'configMap'), kind: 'ConfigMap', path: where } as const,
      {
        entry: at(entry, 'persistentVolumeClaim'),
        kind: 'PersistentVolumeClaim',
        path: where,
      } as const,
    ])
  })
  return [
    ...pulls.flatMap(({ entry, path: where }) => refer('Secret', entry, where)),
    ...volumes.flatMap(({ entry, kind, path: where }) => refer(kind, entry, where)),
    ...containers.flatMap(environmentReferences),
  ]
}

function environmentReferences({ spec, path }: Container): readonly Reference[] {
  const whole = listAt(spec, 'envFrom').flatMap((entry) => [
    ...refer('ConfigMap', at(entry, 'configMapRef'), `${path}.envFrom`),
    ...refer('Secret', at(entry, 'secretRef'), `${path}.envFrom`),
  ])
  const single = listAt(spec, 'env').flatMap((entry) => {
    const where = `${path}.env[${textAt(entry, 'name') ?? '?'}]`
    return [
      ...refer('ConfigMap', at(entry, 'valueFrom', 'configMapKeyRef'), where),
      ...refer('Secret', at(entry, 'valueFrom', 'secretKeyRef'), where),
    ]
  })
  return [...whole, ...single]
}

/** Each kind of reference spells the name in its own way. What is optional may be missing. */
function refer(kind: Reference['kind'], entry: unknown, path: string): readonly Reference[] {
  const name = ['name', 'secretName', 'claimName'].flatMap((key) => textAt(entry, key) ?? [])[0]
  if (name === undefined || at(entry, 'optional') === true) return []
  const items = listAt(entry, 'items').flatMap((item) => textAt(item, 'key') ?? [])
  const key = textAt(entry, 'key')
  return [{ kind, name, path, keys: key === undefined ? items : [key] }]
}

/** Who brings it, and which keys it has as far as the manifests tell. */
function sourceOf(
  wanted: Pick<Reference, 'kind' | 'name'>,
  user: KubeObject,
  manifests: Manifests,
): { readonly keys: readonly string[] | 'unknown' } | undefined {
  const { kind, name } = wanted
  const own = ofKind(manifests, kind).find(
    (object) => object.metadata.name === name && isNeighbour(object, user),
  )
  if (own !== undefined) return { keys: keysOf(own) }
  const external = ofKind(manifests, 'ExternalSecret').find(
    (object) => kind === 'Secret' && targetOf(object) === name && isNeighbour(object, user),
  )
  if (external !== undefined) return { keys: externalKeys(external) }
  const namespace = ofKind(manifests, 'Namespace').find(
    ({ metadata }) => metadata.name === user.metadata.namespace,
  )
  const provided = (namespace?.metadata.annotations?.[PROVIDED] ?? '').split(',')
  return provided.some((entry) => entry.trim() === `${kind}/${name}`)
    ? { keys: 'unknown' }
    : undefined
}

function keysOf(object: KubeObject): readonly string[] {
  return ['data', 'stringData', 'binaryData'].flatMap((field) => {
    const data = at(object, field)
    return isObject(data) ? Object.keys(data) : []
  })
}

/** The Secret that an ExternalSecret makes has its own name unless it says another. */
function targetOf(external: KubeObject): string {
  return textAt(external, 'spec', 'target', 'name') ?? external.metadata.name
}

/** With a template it makes the keys of that; else those it names, which nobody knows where it takes all. */
function externalKeys(external: KubeObject): readonly string[] | 'unknown' {
  const template = at(external, 'spec', 'target', 'template', 'data')
  if (isObject(template)) return Object.keys(template)
  return listAt(external, 'spec', 'dataFrom').length > 0
    ? 'unknown'
    : listAt(external, 'spec', 'data').flatMap((entry) => textAt(entry, 'secretKey') ?? [])
}
