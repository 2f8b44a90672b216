import { UserError } from '../errors.ts'
import { textAt } from '../json.ts'
import { type KubeObject, nameOf } from '../render/manifest.ts'
import { type Answer, type Cluster, reasonOf } from './cluster.ts'
import { discoverResources } from './resources.ts'

/** Kinds that are gone only when what they have made is gone too. */
const WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob']

/** Deletes an object only if it is still the one with that UID (empty: whichever it is). Returns false where it is gone already. */
export async function deleteObject(
  object: KubeObject,
  uid: string,
  cluster: Cluster,
): Promise<boolean> {
  const path = await discoverResources(cluster).pathOf(object)
  const preconditions = uid === '' ? {} : { preconditions: { uid } }
  const answer = await send(path, { propagationPolicy: 'Background', ...preconditions }, cluster)
  // 409: another object has taken its name, which is not ours to delete.
  if (answer.status === 404 || answer.status === 409) return false
  if (answer.status < 300) return true
  throw new UserError(`${nameOf(object)} could not be deleted: ${reasonOf(answer)}`)
}

/** How a delete of exactly what was seen ended; `changed`: somebody wrote it since. */
export type Deletion =
  | { readonly end: 'begun' | 'gone' | 'changed' }
  | { readonly end: 'refused'; readonly reason: string }

/** Deletes an object as it was read, and no other state of it; a workload goes after its pods. */
export async function deleteSeen(live: unknown, path: string, cluster: Cluster): Promise<Deletion> {
  const propagationPolicy = WORKLOADS.includes(textAt(live, 'kind') ?? '')
    ? 'Foreground'
    : 'Background'
  const preconditions = {
    uid: textAt(live, 'metadata', 'uid'),
    resourceVersion: textAt(live, 'metadata', 'resourceVersion'),
  }
  const answer = await send(path, { propagationPolicy, preconditions }, cluster)
  if (answer.status < 300) return { end: 'begun' }
  if (answer.status === 404) return { end: 'gone' }
  if (answer.status === 409) return { end: 'changed' }
  return { end: 'refused', reason: reasonOf(answer) }
}

async function send(path: string, options: object, cluster: Cluster): Promise<Answer> {
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', ...options }
  return await cluster.call({ method: 'DELETE', path, body })
}
