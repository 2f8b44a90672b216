import { listAt } from '../json.ts'
import { inParallel } from './parallel.ts'
import type { Cluster } from './cluster.ts'
import type { Right } from './rights.ts'

/** Something a login wants to do. */
export type Wish = {
  readonly verb: string
  /** Empty for the core group. */
  readonly group: string
  /** Plural, with its part where it has one: `pods/log`. */
  readonly resource: string
  /** Undefined for what belongs to the whole cluster. */
  readonly namespace: string | undefined
  /** Only of this name. */
  readonly name?: string
}

const REVIEWS = '/apis/authorization.k8s.io/v1'
const AT_ONCE = 16

/**
 * Which of these wishes the login may not do. The rules of each namespace are read in one call; only what they do not say (some
 * servers can't list all of them) is asked one by one. A server that does not tell is believed to allow: the dry run will say.
 */
export async function forbiddenOf(
  wishes: readonly Wish[],
  cluster: Cluster,
): Promise<readonly Right[]> {
  const namespaces = [...new Set(wishes.flatMap(({ namespace }) => namespace ?? []))]
  const isAllowedForSure = await allowedByRules(namespaces, cluster)
  const open = wishes.filter((wish) => !isAllowedForSure(wish))
  const asked = await inParallel(open, AT_ONCE, async (wish) =>
    (await isAllowed(wish, cluster)) ? [] : [rightOf(wish)],
  )
  return asked.flat()
}

/** Which wishes the rules of these namespaces allow. Of what they do not say nothing is known. */
export async function allowedByRules(
  namespaces: readonly string[],
  cluster: Cluster,
): Promise<(wish: Wish) => boolean> {
  const rules = new Map(
    await Promise.all(
      namespaces.map(async (namespace) => [namespace, await rulesIn(namespace, cluster)] as const),
    ),
  )
  return (wish) => (rules.get(wish.namespace ?? '') ?? []).some((rule) => allows(rule, wish))
}

async function rulesIn(namespace: string, cluster: Cluster): Promise<readonly unknown[]> {
  const answer = await cluster.call({
    method: 'POST',
    path: `${REVIEWS}/selfsubjectrulesreviews`,
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectRulesReview',
      spec: { namespace },
    },
  })
  return listAt(answer.body, 'status', 'resourceRules')
}

async function isAllowed(wish: Wish, cluster: Cluster): Promise<boolean> {
  const { verb, group, resource, namespace, name } = wish
  const [plural, subresource] = resource.split('/')
  const resourceAttributes = { verb, group, resource: plural, subresource, namespace, name }
  const answer = await cluster.call({
    method: 'POST',
    path: `${REVIEWS}/selfsubjectaccessreviews`,
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes },
    },
  })
  if (answer.status >= 300) return true
  return (answer.body as { status?: { allowed?: boolean } }).status?.allowed !== false
}

function allows(rule: unknown, { verb, group, resource, name }: Wish): boolean {
  const has = (key: string, ...values: readonly string[]) =>
    listAt(rule, key).some((item) => item === '*' || values.includes(String(item)))
  const names = listAt(rule, 'resourceNames')
  return (
    has('verbs', verb) &&
    has('apiGroups', group) &&
    has('resources', resource) &&
    (names.length === 0 || (name !== undefined && names.includes(name)))
  )
}

function rightOf({ verb, group, resource, namespace, name }: Wish): Right {
  const full = group === '' ? resource : `${resource}.${group}`
  return { verb, resource: name === undefined ? full : `${full} "${name}"`, namespace }
}
