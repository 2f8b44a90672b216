import { join } from 'node:path'
import type { Cluster } from '../cluster/cluster.ts'
import { type EnvironmentState, readState, writeState } from '../cluster/state.ts'
import { messageOf, UserError } from '../errors.ts'
import { keyOf, type KubeObject } from '../render/manifest.ts'
import type { World } from '../world.ts'
import { contractsOf, withContracts } from './migrations.ts'
import type { DeployOptions, DeployResult } from './outcome.ts'
import { removeObjects } from './prune.ts'
import { rollOut, type RolloutTarget } from './rollout.ts'
import { type Handover, openHandover } from './strategies/handover.ts'
import { recordTimeline, type TimelineRecorder } from './timeline.ts'
import type { RolloutFailed } from './readiness/wait.ts'

/** The way back gets its own time: the one of the deploy is used up. */
const ROLLBACK_TIMEOUT_S = 300

type End = Pick<DeployResult, 'outcome' | 'message' | 'failure'>

export type FailedDeploy = {
  readonly options: DeployOptions
  readonly failure: RolloutFailed
  /** Of the rollout that failed. */
  readonly handover?: Handover
  /** Of the whole deploy, the way back included. */
  readonly timeline?: TimelineRecorder
  /** What it had made: among them Jobs that may have taken something away from the database. */
  readonly jobs?: readonly KubeObject[]
  /** Makes sure that nobody else deploys here by now. */
  readonly confirm?: () => Promise<void>
}

/**
 * After a failed rollout: applies the last good release again with the same engine and waits for it, then removes what the failed
 * one had created. A first deploy has nothing to return to: then only its own objects are removed, data excepted. Past a migration
 * that took something away there is no way back, and nothing is done.
 */
export async function restoreGood(
  failed: FailedDeploy,
  cluster: Cluster,
  world: World,
): Promise<End> {
  const { options, failure } = failed
  const { namespace } = options.environment
  if (options.onFailure === 'keep')
    return { outcome: 'failed', failure, message: `${failure.message}; kept as it is, as asked` }
  try {
    // The requests first: they go back to pods that still run, before anything is written anew.
    await failed.handover?.abort()
    const state = await readState(namespace, cluster)
    if (state === undefined) throw failure
    if (state.good === undefined) return await undoFirst(failed, state, { cluster, world })
    const contracts = await contractsOf(failed.jobs ?? [], cluster)
    if (contracts.length > 0) {
      await writeState(namespace, withContracts(state, contracts), cluster)
      return { outcome: 'failed', failure, message: closed(failure, contracts, state.good.release) }
    }
    await failed.confirm?.()
    return await goBack(failed, { ...state, good: state.good }, { cluster, world })
  } catch (error) {
    world.signal.throwIfAborted()
    if (!(error instanceof UserError)) throw error
    return {
      outcome: 'rollback-failed',
      failure,
      message: `${failure.message}. The way back failed too: ${messageOf(error)}. Deploy a good release to repair it`,
    }
  }
}

type Context = { readonly cluster: Cluster; readonly world: World }

async function undoFirst(
  { options, failure }: FailedDeploy,
  { pending, ...settled }: EnvironmentState,
  { cluster, world }: Context,
): Promise<End> {
  await world.progress.step('Remove what this first deploy had created', () =>
    removeObjects([...(pending?.created ?? [])].reverse(), cluster, world),
  )
  await writeState(options.environment.namespace, settled, cluster)
  return {
    outcome: 'rolled-back',
    failure,
    message: `${failure.message}. There was no earlier release: what this deploy created is removed`,
  }
}

async function goBack(
  failed: FailedDeploy,
  state: EnvironmentState & { readonly good: NonNullable<EnvironmentState['good']> },
  { cluster, world }: Context,
): Promise<End> {
  const { options, failure } = failed
  const { namespace } = options.environment
  const { pending, ...settled } = state
  const { inventory, release } = state.good
  const created = pending?.created ?? []
  if (pending !== undefined)
    await writeState(namespace, { ...state, pending: { ...pending, isWayBack: true } }, cluster)
  const deadline = world.clock.now().getTime() + ROLLBACK_TIMEOUT_S * 1000
  // Jobs are not part of the way back: a migration is never undone by running an older one.
  const objects = inventory.map(({ object }) => object).filter(({ kind }) => kind !== 'Job')
  const question = {
    ...{ objects, strategy: { type: 'rolling' } as const, before: {} },
    timeline: failed.timeline ?? recordTimeline(world.clock),
  }
  const handover = await openHandover(question, cluster, world)
  const target: RolloutTarget = {
    ...{
      namespace,
      objects,
      deadline,
      state: settled,
      absent: new Set(),
      isWayBack: true,
      handover,
      timeline: question.timeline,
    },
    ...{ evidenceFolder: wayBackFolder(options), settleSeconds: options.settleSeconds },
    ...(failed.confirm === undefined ? {} : { confirm: failed.confirm }),
  }
  await world.progress.step(`Return to ${release}`, () => rollOut(target, cluster, world))
  const kept = new Set(inventory.map(({ object }) => keyOf(object)))
  const orphans = created.filter(({ object }) => !kept.has(keyOf(object)))
  await removeObjects(orphans.reverse(), cluster, world)
  await writeState(namespace, settled, cluster)
  return {
    outcome: 'rolled-back',
    failure,
    message: `${failure.message}. ${namespace} is back at ${release}`,
  }
}

function closed(failure: RolloutFailed, contracts: readonly string[], release: string): string {
  return `${failure.message}. There is no way back to ${release}: ${contracts.join(', ')} took something away from the database that it still uses. Mend this release and deploy again`
}

/** What goes wrong on the way back must not overwrite what went wrong before. */
function wayBackFolder({ evidenceFolder }: DeployOptions): string | undefined {
  return evidenceFolder === undefined ? undefined : join(evidenceFolder, 'way-back')
}
