import type { Cluster } from '../cluster/cluster.ts'
import { listNamespace, type Picture, watchNamespace } from '../cluster/watch.ts'
import type { KubeObject } from '../render/manifest.ts'
import type { World } from '../world.ts'
import type { DeployOptions, DeployResult } from './outcome.ts'
import { isAwaited, readinessOf } from './readiness/readiness.ts'
import { RolloutFailed, waitUntilReady, type Written } from './readiness/wait.ts'

/** Nothing is to be written. What is not ready just now, such as a pod an autoscaler has added, is waited for all the same. */
export async function confirmReady(
  options: DeployOptions,
  objects: readonly KubeObject[],
  context: { readonly cluster: Cluster; readonly world: World },
): Promise<Pick<DeployResult, 'outcome' | 'message' | 'failure'>> {
  const { cluster, world } = context
  const { namespace } = options.environment
  const unchanged = {
    outcome: 'unchanged',
    message: 'Everything is as the release has it',
  } as const
  if (isAllReady(objects, await listNamespace({ namespace, objects }, cluster))) return unchanged
  const deadline = world.clock.now().getTime() + options.timeoutSeconds * 1000
  const { evidenceFolder } = options
  const waiting = {
    ...{ objects, namespace, deadline, written: new Map<string, Written>() },
    ...(evidenceFolder === undefined ? {} : { evidenceFolder }),
  }
  const watch = await watchNamespace({ namespace, objects }, cluster, world.signal)
  try {
    await world.progress.step('Wait for what is not ready', () =>
      waitUntilReady(waiting, watch, context),
    )
    return unchanged
  } catch (error) {
    if (!(error instanceof RolloutFailed)) throw error
    return { outcome: 'failed', failure: error, message: `${error.message}; nothing was changed` }
  } finally {
    watch.close()
  }
}

function isAllReady(objects: readonly KubeObject[], picture: Picture): boolean {
  return objects
    .filter((object) => isAwaited(object.kind))
    .every((object) => readinessOf(object, picture).state === 'ready')
}
