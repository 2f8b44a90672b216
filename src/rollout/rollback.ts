import type { Cluster } from '../cluster/cluster.ts'
import { readState, writeState } from '../cluster/state.ts'
import { messageOf, UserError } from '../errors.ts'
import { keyOf } from '../render/manifest.ts'
import type { World } from '../world.ts'
import type { DeployOptions, DeployResult } from './outcome.ts'
import { removeObjects, rollOut } from './rollout.ts'
import type { RolloutFailed } from './wait.ts'

/** The way back gets its own time: the one of the deploy is used up. */
const ROLLBACK_TIMEOUT_S = 300

/**
 * After a failed rollout: applies the last good release again with the same engine and waits for it, then removes what the failed
 * one had created. A first deploy has nothing to return to: then only its own objects are removed, data excepted.
 */
export async function restoreGood(
  failed: { readonly options: DeployOptions; readonly failure: RolloutFailed },
  cluster: Cluster,
  world: World,
): Promise<Pick<DeployResult, 'outcome' | 'message' | 'failure'>> {
  const { options, failure } = failed
  const { namespace } = options.environment
  if (options.onFailure === 'keep')
    return { outcome: 'failed', failure, message: `${failure.message}; kept as it is, as asked` }
  try {
    const state = await readState(namespace, cluster)
    if (state === undefined) throw failure
    const { pending, ...settled } = state
    const created = pending?.created ?? []
    if (state.good === undefined) {
      await world.progress.step('Remove what this first deploy had created', () =>
        removeObjects([...created].reverse(), cluster, world),
      )
      await writeState(namespace, settled, cluster)
      return {
        outcome: 'rolled-back',
        failure,
        message: `${failure.message}. There was no earlier release: what this deploy created is removed`,
      }
    }
    const { inventory, release } = state.good
    const deadline = world.clock.now().getTime() + ROLLBACK_TIMEOUT_S * 1000
    // Jobs are not part of the way back: a migration is never undone by running an older one.
    const objects = inventory.map(({ object }) => object).filter(({ kind }) => kind !== 'Job')
    await world.progress.step(`Return to ${release}`, () =>
      rollOut(
        {
          ...{ namespace, objects, deadline, prune: false, state: settled, absent: new Set() },
          isWayBack: true,
        },
        cluster,
        world,
      ),
    )
    const kept = new Set(inventory.map(({ object }) => keyOf(object)))
    await removeObjects(
      created.filter(({ object }) => !kept.has(keyOf(object))).reverse(),
      cluster,
      world,
    )
    await writeState(namespace, settled, cluster)
    return {
      outcome: 'rolled-back',
      failure,
      message: `${failure.message}. ${namespace} is back at ${release}`,
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return {
      outcome: 'rollback-failed',
      failure,
      message: `${failure.message}. The way back failed too: ${messageOf(error)}. Deploy a good release to repair it`,
    }
  }
}
