import { UserError } from '../errors.ts'
import { at, listAt, textAt } from '../json.ts'
import { type KubeObject, nameOf } from '../render/manifest.ts'
import { type Cluster, reasonOf } from './cluster.ts'

/** Finds the API path of an object by asking the server what it serves; each group version is asked once. */
export type Resources = {
  pathOf: (object: KubeObject) => Promise<string>
  /** Whether the server serves the kind of this object. */
  isServed: (object: KubeObject) => Promise<boolean>
  /** What the server calls the kind of this object, or undefined where it does not serve it. */
  kindOf: (object: KubeObject) => Promise<Kind | undefined>
}

export type Kind = {
  readonly plural: string
  /** Empty for the core group. */
  readonly group: string
  readonly namespaced: boolean
}

/** A definition that was established a moment ago is served a little later. */
const NEW_KIND_MS = 10_000
const LOOK_AGAIN_MS = 250

export function discoverResources(cluster: Cluster): Resources {
  const known = new Map<string, Promise<ReadonlyMap<string, Kind>>>()
  const kindOf = async (object: KubeObject): Promise<Kind | undefined> => {
    const kinds = known.get(object.apiVersion) ?? readGroup(cluster, object.apiVersion)
    known.set(object.apiVersion, kinds)
    const kind = (await kinds).get(object.kind)
    // Not kept: its definition may come with this very release.
    if (kind === undefined) known.delete(object.apiVersion)
    return kind
  }
  const awaited = async (object: KubeObject): Promise<Kind | undefined> => {
    const deadline = performance.now() + NEW_KIND_MS
    for (;;) {
      const kind = await kindOf(object)
      if (kind !== undefined || !isCustom(object) || performance.now() > deadline) return kind
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
    }
  }
  return {
    kindOf,
    isServed: async (object) => (await kindOf(object)) !== undefined,
    pathOf: async (object) => {
      const kind = await awaited(object)
      if (kind === undefined)
        throw new UserError(
          `The cluster does not know ${object.apiVersion} ${object.kind} (${nameOf(object)}); install its API first`,
        )
      const { name, namespace } = object.metadata
      const scope = kind.namespaced ? `/namespaces/${namespace ?? 'default'}` : ''
      return `${groupPath(object.apiVersion)}${scope}/${kind.plural}/${name}`
    },
  }
}

/** Whether the kind is not Kubernetes' own: only of those can a definition have come a moment ago. */
function isCustom({ apiVersion }: KubeObject): boolean {
  const [group = ''] = apiVersion.split('/')
  return group.includes('.') && !/(^|\.)k8s\.io$/.test(group)
}

function groupPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
}

async function readGroup(cluster: Cluster, apiVersion: string): Promise<ReadonlyMap<string, Kind>> {
  const answer = await cluster.call({ method: 'GET', path: groupPath(apiVersion) })
  if (answer.status === 404) return new Map()
  if (answer.status !== 200)
    throw new UserError(`The cluster does not list ${apiVersion}: ${reasonOf(answer)}`)
  const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
  const kinds = listAt(answer.body, 'resources').flatMap((resource): [string, Kind][] => {
    const plural = textAt(resource, 'name') ?? ''
    const kind = textAt(resource, 'kind') ?? ''
    // `deployments/scale` and the like are parts of a resource.
    return plural.includes('/')
      ? []
      : [[kind, { plural, group, namespaced: at(resource, 'namespaced') === true }]]
  })
  return new Map(kinds)
}
