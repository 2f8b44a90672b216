import type { Cluster } from '../../cluster/cluster.ts'
import { messageOf, UserError } from '../../errors.ts'
import { listAt, numberAt, textAt } from '../../json.ts'
import { holdAutoscalers } from './autoscalers.ts'
import { removeDeployment, replicasOf, scale } from './deployments.ts'
import { type Ground, oldName, point, selectorsOf } from './ground.ts'
import { describeLabels, type Labels, SET } from './labels.ts'
import { holdSelector, type Move } from './moves.ts'
import { routesOf, weightRoutes } from './routes.ts'
import { podLabelsOf } from './sets.ts'

/** Too few old pods would go down under all requests: they come back first, for so long at most. */
const REFILL_MS = 60_000
const LOOK_AGAIN_MS = 500
const LEAVING_MS = 30_000

/**
 * The requests go back to the pods that served before, at once where these are enough; the new sets go away. What can't be done is
 * said, and the rest is done all the same: the way back by the engine comes after it.
 */
export async function turnBack(moves: readonly Move[], ground: Ground): Promise<void> {
  for (const move of moves) {
    await attempt(() => returnRequests(move, ground), ground)
  }
  for (const move of moves) {
    await attempt(() => removeNew(move, ground), ground)
  }
}

async function returnRequests(move: Move, ground: Ground): Promise<void> {
  const { cluster, objects } = ground
  const { namespace, from } = move
  const now = await replicasOf(namespace, from.deployment, cluster)
  // Somebody has removed them: the engine makes them anew and shifts the requests then.
  if (now === undefined) return
  await holdAutoscalers(move, objects, { cluster, min: from.replicas, max: undefined })
  if (now < from.replicas) await refill(move, ground)
  for (const service of move.services) {
    const { hold, wide, wanted } = selectorsOf(move, service, {})
    const ours = [hold, wide, wanted, service.selector]
    await point(
      service.object,
      { selector: holdSelector(service.selector, move), ours, what: oldName(move), side: 'old' },
      ground,
    )
  }
  await weightRoutes(await routesOf(move, ground), { move, weight: 0 }, ground)
}

/** Half of the old pods carry all requests for a moment; fewer would not. */
async function refill(move: Move, { cluster, world }: Ground): Promise<void> {
  const { namespace, from } = move
  const name = from.deployment
  await scale({ namespace, name, replicas: from.replicas }, cluster)
  const deadline = world.clock.now().getTime() + REFILL_MS
  const enough = Math.ceil(from.replicas / 2)
  for (;;) {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`
    const { body } = await cluster.call({ method: 'GET', path })
    const ready = numberAt(body, 'status', 'readyReplicas') ?? 0
    world.progress.show([`… ${name}: ${ready} of ${from.replicas} pods are back`])
    if (ready >= enough || world.clock.now().getTime() > deadline) return
    await world.clock.sleep(LOOK_AGAIN_MS, world.signal)
  }
}

async function removeNew(move: Move, ground: Ground): Promise<void> {
  const { cluster, world } = ground
  const { namespace, to } = move
  const { name } = to.metadata
  if (!(await removeDeployment({ namespace, name, uid: '' }, cluster))) return
  world.progress.say(`deleted Deployment ${namespace}/${name}, which did not become good`)
  const { [SET]: set } = podLabelsOf(to)
  if (set === undefined) return
  // Until its pods are on their way out, a selector that means all pods of the workload would mean them too.
  const deadline = world.clock.now().getTime() + LEAVING_MS
  while (world.clock.now().getTime() < deadline) {
    if ((await staying(namespace, { [SET]: set }, cluster)) === 0) return
    await world.clock.sleep(LOOK_AGAIN_MS, world.signal)
  }
}

async function staying(namespace: string, labels: Labels, cluster: Cluster): Promise<number> {
  const selector = encodeURIComponent(describeLabels(labels))
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`
  const { body } = await cluster.call({ method: 'GET', path })
  return listAt(body, 'items').filter(
    (pod) => textAt(pod, 'metadata', 'deletionTimestamp') === undefined,
  ).length
}

async function attempt(work: () => Promise<void>, { world }: Ground): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    world.progress.warn(messageOf(error))
  }
}
