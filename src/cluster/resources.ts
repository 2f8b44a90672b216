import { UserError } from '../errors.ts'
import { at, listAt, textAt } from '../json.ts'
import { type KubeObject, nameOf } from '../render/manifest.ts'
import { type Cluster, reasonOf } from './cluster.ts'

/** Finds the API path of an object by asking the server what it serves; each group version is asked once. */
export type Resources = {
  pathOf: (object: KubeObject) => Promise<string>
  /** Whether the server serves the kind of this object. */
  isServed: (object: KubeObject) => Promise<boolean>
}

type Kind = { readonly plural: string; readonly namespaced: boolean }

export function discoverResources(cluster: Cluster): Resources {
  const known = new Map<string, Promise<ReadonlyMap<string, Kind>>>()
  const kindOf = async (object: KubeObject): Promise<Kind | undefined> => {
    const kinds = known.get(object.apiVersion) ?? readGroup(cluster, object.apiVersion)
    known.set(object.apiVersion, kinds)
    return (await kinds).get(object.kind)
  }
  return {
    isServed: async (object) => (await kindOf(object)) !== undefined,
    pathOf: async (object) => {
      const kind = await kindOf(object)
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

function groupPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
}

async function readGroup(cluster: Cluster, apiVersion: string): Promise<ReadonlyMap<string, Kind>> {
  const answer = await cluster.call({ method: 'GET', path: groupPath(apiVersion) })
  if (answer.status === 404) return new Map()
  if (answer.status !== 200)
    throw new UserError(`The cluster does not list ${apiVersion}: ${reasonOf(answer)}`)
  const kinds = listAt(answer.body, 'resources').flatMap((resource): [string, Kind][] => {
    const plural = textAt(resource, 'name') ?? ''
    const kind = textAt(resource, 'kind') ?? ''
    // `deployments/scale` and the like are parts of a resource.
    return plural.includes('/')
      ? []
      : [[kind, { plural, namespaced: at(resource, 'namespaced') === true }]]
  })
  return new Map(kinds)
}
