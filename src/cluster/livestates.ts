import { listAt, textAt } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'
import type { Answer, Cluster } from './cluster.ts'
import { inParallel } from './parallel.ts'
import { allowedByRules } from './permissions.ts'
import type { Resources } from './resources.ts'

/** What is asked for the state of an object: as a GET of it would be answered. */
export type LiveStates = (object: KubeObject) => Promise<Answer>

/** Fewer of a kind are asked for one by one: a list also brings what is not ours. */
const WORTH_LISTING = 3
/** A list that is not whole by then is mostly of others. */
const LONGEST_LIST = 1_000
const AT_ONCE = 8

/**
 * Reads objects as they are now, with few requests: those of one kind and namespace by one list, where the rules of this
 * login say that it may list them; whatever a list does not tell is asked for by itself.
 */
export async function readLiveStates(
  objects: readonly KubeObject[],
  { cluster, resources }: { readonly cluster: Cluster; readonly resources: Resources },
): Promise<LiveStates> {
  const groups = Map.groupBy(objects, ({ apiVersion, kind, metadata }) =>
    [apiVersion, kind, metadata.namespace ?? ''].join(' '),
  )
  const many = [...groups.values()].filter(({ length }) => length >= WORTH_LISTING)
  const namespaces = new Set(many.flatMap(([first]) => first?.metadata.namespace ?? []))
  const isAllowed = await allowedByRules([...namespaces], cluster)
  const lists = await inParallel(many, AT_ONCE, async (members) => {
    const [first] = members
    const kind = first === undefined ? undefined : await resources.kindOf(first)
    const namespace = first?.metadata.namespace
    if (first === undefined || kind?.namespaced !== true || namespace === undefined) return []
    if (!isAllowed({ verb: 'list', group: kind.group, resource: kind.plural, namespace })) return []
    const found = await readList(first, { cluster, resources })
    return found === undefined ? [] : members.map((member) => [member, answerFrom(found, member)])
  })
  const known = new Map(lists.flat() as [KubeObject, Answer][])
  return async (object) =>
    known.get(object) ??
    (await cluster.call({ method: 'GET', path: await resources.pathOf(object) }))
}

/** All objects of the kind and namespace of one, by name; undefined where they can't be had, or are too many. */
async function readList(
  { apiVersion, kind, ...object }: KubeObject,
  { cluster, resources }: { readonly cluster: Cluster; readonly resources: Resources },
): Promise<ReadonlyMap<string, unknown> | undefined> {
  const own = await resources.pathOf({ apiVersion, kind, ...object })
  const path = `${own.slice(0, own.lastIndexOf('/'))}?limit=${LONGEST_LIST}`
  const { status, body } = await cluster.call({ method: 'GET', path })
  if (status !== 200 || (textAt(body, 'metadata', 'continue') ?? '') !== '') return undefined
  // A list leaves out what each of its items is.
  return new Map(
    listAt(body, 'items').map((item) => [
      textAt(item, 'metadata', 'name') ?? '',
      { ...(item as object), apiVersion, kind },
    ]),
  )
}

function answerFrom(found: ReadonlyMap<string, unknown>, { metadata }: KubeObject): Answer {
  const body = found.get(metadata.name)
  return { status: body === undefined ? 404 : 200, body, text: '' }
}
