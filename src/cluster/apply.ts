import { refuse, UserError } from '../errors.ts'
import { at, canonicalJson, isObject, listAt, textAt } from '../json.ts'
import { type KubeObject, nameOf } from '../render/manifest.ts'
import { type Answer, type Cluster, reasonOf } from './cluster.ts'
import { discoverResources, type Resources } from './resources.ts'
import { describeRight, lacking, missingRight, type Right } from './rights.ts'

export const FIELD_MANAGER = 'todo-deploy'

export type Change = {
  readonly object: KubeObject
  readonly action: 'create' | 'update' | 'unchanged'
  /** Dotted paths that would change, at most a few; values are never named. */
  readonly fields: readonly string[]
}

/** What an apply would do, found by a server-side dry run of the whole set; nothing was written. */
export type ApplyPlan = { readonly changes: readonly Change[]; readonly resources: Resources }

const AT_ONCE = 16
const SHOWN_FIELDS = 5
const JOB_REMOVAL_S = 30
/** Fields the server writes for itself: they differ without any change of ours. */
const SERVER_FIELDS = ['managedFields', 'resourceVersion', 'generation', 'creationTimestamp', 'uid']

/** Runs the whole set through the server's admission without writing. Every problem is reported, then nothing is done. */
export async function planApply(
  objects: readonly KubeObject[],
  cluster: Cluster,
): Promise<ApplyPlan> {
  const resources = discoverResources(cluster)
  const problems: string[] = []
  const lacks: Right[] = []
  const missing = await missingNamespaces(objects, cluster)
  const changes = await inParallel(objects, AT_ONCE, async (object): Promise<Change> => {
    const planned: Change = { object, action: 'create', fields: [] }
    // In a namespace of this very set the server can't try anything before it exists.
    if (missing.has(object.metadata.namespace ?? '')) return planned
    if (!(await resources.isServed(object))) {
      problems.push(`${nameOf(object)}: the cluster has no ${object.apiVersion} ${object.kind}`)
      return planned
    }
    const path = await resources.pathOf(object)
    const live = await cluster.call({ method: 'GET', path })
    if (live.status === 200 && object.kind === 'Job') return jobChange(object, live.body)
    const tried = await apply(cluster, { path, object, dryRun: true })
    if (isSettledNamespace(object, live, tried)) return { ...planned, action: 'unchanged' }
    const rights = [live, tried].flatMap((answer) => missingRight(answer) ?? [])
    lacks.push(...rights)
    if (tried.status >= 300 && rights.length === 0)
      problems.push(`${nameOf(object)}: ${explain(tried)}`)
    if (live.status === 404) return planned
    const fields = changedFields(comparable(live.body), comparable(tried.body))
    return { object, action: fields.length === 0 ? 'unchanged' : 'update', fields }
  })
  if (lacks.length > 0) refuseWithoutRights(lacks, problems)
  if (problems.length > 0) refuse('The cluster refuses the manifests', problems)
  return { changes, resources }
}

/** Writes one object by server-side apply. Returns it as the server has it now. */
export async function applyObject(
  object: KubeObject,
  resources: Resources,
  cluster: Cluster,
): Promise<unknown> {
  const path = await resources.pathOf(object)
  if (object.kind === 'Job') await removeFailedJob(object, path, cluster)
  const answer = await apply(cluster, { path, object, dryRun: false })
  if (answer.status < 300) return answer.body
  if (object.kind === 'Namespace' && answer.status === 403) {
    const live = await cluster.call({ method: 'GET', path })
    if (isSettledNamespace(object, live, answer)) return live.body
  }
  throw new UserError(`${nameOf(object)} was refused: ${explain(answer)}`)
}

/** A failed Job of the same content stands in the way of the next attempt. */
async function removeFailedJob(object: KubeObject, path: string, cluster: Cluster): Promise<void> {
  const live = await cluster.call({ method: 'GET', path })
  if (live.status !== 200 || jobChange(object, live.body).action === 'unchanged') return
  await deleteObject(object, textAt(live.body, 'metadata', 'uid') ?? '', cluster)
  for (let waited = 0; waited < JOB_REMOVAL_S; waited += 1) {
    if ((await cluster.call({ method: 'GET', path })).status === 404) return
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
  throw new UserError(`${nameOf(object)} failed before and can't be removed; delete it by hand`)
}

/** Deletes an object only if it is still the one with that UID (empty: whichever it is). Returns false where it is gone already. */
export async function deleteObject(
  object: KubeObject,
  uid: string,
  cluster: Cluster,
): Promise<boolean> {
  const path = await discoverResources(cluster).pathOf(object)
  const answer = await cluster.call({
    method: 'DELETE',
    path,
    body: {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
      ...(uid === '' ? {} : { preconditions: { uid } }),
    },
  })
  // 409: another object has taken its name, which is not ours to delete.
  if (answer.status === 404 || answer.status === 409) return false
  if (answer.status < 300) return true
  throw new UserError(`${nameOf(object)} could not be deleted: ${reasonOf(answer)}`)
}

export async function inParallel<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Array<R>(items.length)
  const queue = items.map((item, index) => ({ item, index }))
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      results[next.index] = await work(next.item)
  }
  await Promise.all(Array.from({ length: limit }, worker))
  return results
}

async function missingNamespaces(
  objects: readonly KubeObject[],
  cluster: Cluster,
): Promise<ReadonlySet<string>> {
  const used = new Set(objects.flatMap((object) => object.metadata.namespace ?? []))
  const missing = new Set<string>()
  for (const namespace of used) {
    const answer = await cluster.call({ method: 'GET', path: `/api/v1/namespaces/${namespace}` })
    if (answer.status !== 404) continue
    const ours = objects.some(
      (object) => object.kind === 'Namespace' && object.metadata.name === namespace,
    )
    if (!ours)
      throw new UserError(
        `The namespace ${namespace} does not exist; create it or add it to the overlay`,
      )
    missing.add(namespace)
  }
  return missing
}

async function apply(
  cluster: Cluster,
  write: { readonly path: string; readonly object: KubeObject; readonly dryRun: boolean },
): Promise<Answer> {
  const query = new URLSearchParams({ fieldManager: FIELD_MANAGER, fieldValidation: 'Strict' })
  if (write.dryRun) query.set('dryRun', 'All')
  return await cluster.call({
    method: 'PATCH',
    path: `${write.path}?${query.toString()}`,
    contentType: 'application/apply-patch+yaml',
    body: write.object,
  })
}

/** All rights together in the first line: one by one, each would cost another try. */
function refuseWithoutRights(lacks: readonly Right[], problems: readonly string[]): never {
  const missing = [...new Set(lacks.map(describeRight))].sort()
  throw new UserError(`This login ${lacking(lacks)}`, [
    'nothing was changed',
    ...missing.map((right) => `missing: ${right}`),
    ...problems,
  ])
}

/**
 * Whoever may write a Namespace may lift its Pod Security, so a deployer should not: then its administrator has made it, and
 * there is nothing to write where it has all that is wanted.
 */
function isSettledNamespace(object: KubeObject, live: Answer, tried: Answer): boolean {
  return (
    object.kind === 'Namespace' &&
    live.status === 200 &&
    missingRight(tried) !== undefined &&
    hasAll(live.body, object)
  )
}

function hasAll(live: unknown, wanted: unknown): boolean {
  if (!isObject(wanted)) return canonicalJson(live) === canonicalJson(wanted)
  return Object.entries(wanted).every(([key, value]) => hasAll(at(live, key), value))
}

function explain(answer: Answer): string {
  const reason = reasonOf(answer)
  if (answer.status !== 409) return reason
  return `another field manager owns fields of it; take them over or leave them out (${reason})`
}

/** A Job is named by its content: if it is there, it runs or ran. Only one that failed is made anew. */
function jobChange(object: KubeObject, live: unknown): Change {
  const failed = listAt(live, 'status', 'conditions').some(
    (condition) => textAt(condition, 'type') === 'Failed' && textAt(condition, 'status') === 'True',
  )
  return failed
    ? { object, action: 'update', fields: ['.status (it failed before)'] }
    : { object, action: 'unchanged', fields: [] }
}

function comparable(object: unknown): unknown {
  if (!isObject(object)) return object
  const { status: _status, ...rest } = object
  const metadata = isObject(rest['metadata']) ? rest['metadata'] : {}
  const kept = Object.fromEntries(
    Object.entries(metadata).filter(([key]) => !SERVER_FIELDS.includes(key)),
  )
  return { ...rest, metadata: kept }
}

function changedFields(before: unknown, after: unknown, path = ''): string[] {
  if (canonicalJson(before) === canonicalJson(after)) return []
  if (!isObject(before) || !isObject(after)) return [path]
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return keys
    .flatMap((key) => changedFields(at(before, key), at(after, key), `${path}.${key}`))
    .slice(0, SHOWN_FIELDS)
}
