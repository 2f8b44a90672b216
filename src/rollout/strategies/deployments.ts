import { type Cluster, reasonOf } from '../../cluster/cluster.ts'
import { SCALER } from '../../cluster/ownership.ts'
import type { NamespaceWatch, Picture } from '../../cluster/watch.ts'
import { UserError } from '../../errors.ts'
import { numberAt, textAt } from '../../json.ts'
import type { World } from '../../world.ts'
import { newestReplicaSet } from '../readiness/readiness.ts'
import { podsOf } from './endpoints.ts'
import { type Labels, SET, TEMPLATE_HASH } from './labels.ts'
import { podLabelsOf } from './sets.ts'

const LOOK_AGAIN_MS = 500
/** Beyond their grace period, pods are the kubelet's business. */
const REMOVAL_MS = 30_000

/** Sets the number of pods. Returns the Deployment as the server has it now. */
export async function scale(
  deployment: { readonly namespace: string; readonly name: string; readonly replicas: number },
  cluster: Cluster,
): Promise<unknown> {
  const { namespace, name, replicas } = deployment
  const answer = await cluster.call({
    method: 'PATCH',
    path: `${pathOf(namespace, name)}?fieldManager=${SCALER}`,
    contentType: 'application/merge-patch+json',
    body: { spec: { replicas } },
  })
  if (answer.status < 300) return answer.body
  throw new UserError(
    `Deployment ${namespace}/${name} can't be scaled to ${replicas}: ${reasonOf(answer)}`,
  )
}

/** How many pods a Deployment is to have now, or undefined where it is not there. */
export async function replicasOf(
  namespace: string,
  name: string,
  cluster: Cluster,
): Promise<number | undefined> {
  const answer = await cluster.call({ method: 'GET', path: pathOf(namespace, name) })
  return answer.status === 200 ? (numberAt(answer.body, 'spec', 'replicas') ?? 1) : undefined
}

/** Deletes a Deployment if it is still the one with that UID (empty: whichever it is). Returns false where it is gone. */
export async function removeDeployment(
  deployment: { readonly namespace: string; readonly name: string; readonly uid: string },
  cluster: Cluster,
): Promise<boolean> {
  const { namespace, name, uid } = deployment
  const answer = await cluster.call({
    method: 'DELETE',
    path: pathOf(namespace, name),
    body: {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
      ...(uid === '' ? {} : { preconditions: { uid } }),
    },
  })
  if (answer.status === 404 || answer.status === 409) return false
  if (answer.status < 300) return true
  throw new UserError(`Deployment ${namespace}/${name} could not be deleted: ${reasonOf(answer)}`)
}

/** Waits until every pod with these labels is at least on its way out: then no Service sends it anything. */
export async function waitUntilLeaving(
  labels: Labels,
  watch: NamespaceWatch,
  world: World,
): Promise<void> {
  const deadline = world.clock.now().getTime() + REMOVAL_MS
  for (;;) {
    world.signal.throwIfAborted()
    const staying = podsOf(labels, watch.picture()).filter(
      (pod) => textAt(pod, 'metadata', 'deletionTimestamp') === undefined,
    )
    if (staying.length === 0 || world.clock.now().getTime() > deadline) return
    await watch.changed(LOOK_AGAIN_MS)
  }
}

/** What tells the pods of a Deployment's newest revision from all others; undefined while its ReplicaSet is not seen. */
export function newestLabels(name: string, picture: Picture): Labels | undefined {
  const live = picture.Deployment.find((found) => textAt(found, 'metadata', 'name') === name)
  const { [SET]: own } = podLabelsOf(live)
  if (own !== undefined) return { [SET]: own }
  const hash = textAt(newestReplicaSet(live, picture), 'metadata', 'labels', TEMPLATE_HASH)
  return hash === undefined ? undefined : { [TEMPLATE_HASH]: hash }
}

function pathOf(namespace: string, name: string): string {
  return `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`
}
