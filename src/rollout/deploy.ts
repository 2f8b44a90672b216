import { applyObject } from '../cluster/apply.ts'
import type { ApplyPlan } from '../cluster/changes.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { holdLease } from '../cluster/lease.ts'
import { type EnvironmentState, readState, writeState } from '../cluster/state.ts'
import { UserError } from '../errors.ts'
import { pausesOf } from '../environments/strategy.ts'
import { canonicalJson } from '../json.ts'
import { keyOf } from '../render/manifest.ts'
import type { World } from '../world.ts'
import { isSettled, requirePlan } from './agreement.ts'
import { confirmReady } from './confirmation.ts'
import { failureOf } from './failure.ts'
import { doneJobs, removeFinishedHooks } from './finishedjobs.ts'
import type { DeployOptions, DeployResult } from './outcome.ts'
import { imageChanges } from './imagechanges.ts'
import { contractsOf, requireDatabase, withContracts, withHistory } from './migrations.ts'
import { originOf, prepare, type Prepared } from './preflight/prepare.ts'
import { pruneObjects, removeObjects } from './prune.ts'
import { restoreGood } from './rollback.ts'
import { rollOut } from './rollout.ts'
import { refreshFromStores } from './rotation.ts'
import { CanaryUndecided } from './strategies/canary.ts'
import { takeover } from './takeover.ts'

/** Brings an environment to a release and waits for the truth. Bad input throws before anything is written. */
export async function deploy(
  options: DeployOptions,
  cluster: Cluster,
  world: World,
): Promise<DeployResult> {
  const { source } = options
  const { namespace } = options.environment
  let prepared = await prepare(options, cluster, world)
  requireDatabase(prepared.state, source.identity)
  const resultOf = (end: Pick<DeployResult, 'outcome' | 'message' | 'failure'>): DeployResult => ({
    ...{ release: source.identity, planHash: prepared.whole.hash, plan: prepared.whole },
    ...{ changes: prepared.plan.changes, warnings: prepared.warnings, ...end },
    ...{ before: prepared.state?.good?.release ?? null, images: imageChanges(prepared) },
  })
  const count = prepared.whole.changes.length
  if (options.mode === 'plan')
    return resultOf({ outcome: 'planned', message: `${count} objects would change` })
  await refreshFromStores(prepared.rendered, cluster, world)
  if (await isSettled(prepared, options, cluster))
    return resultOf(await confirmReady(options, prepared.objects, { cluster, world }))
  requirePlan(options.planHash, prepared)
  await createNamespace(prepared.plan, namespace, cluster)
  const lease = await holdLease(
    { namespace, name: 'todo-deploy', holder: options.holder },
    cluster,
    {
      clock: world.clock,
      signal: world.signal,
      say: world.progress.say,
      ...(options.concurrent === undefined ? {} : { whenHeld: options.concurrent }),
      patienceSeconds: options.timeoutSeconds,
    },
  )
  // Whoever has lost the lease to another must not write, revert or remove any more.
  const held = { ...world, signal: AbortSignal.any([world.signal, lease.lost]) }
  try {
    const state = await readState(namespace, cluster)
    if (canonicalJson(state ?? null) !== canonicalJson(prepared.state ?? null)) {
      world.progress.say('Somebody has deployed here since; what would change is looked at again')
      prepared = await prepare(options, cluster, world)
      requirePlan(options.planHash, prepared)
    }
    const run = { options, prepared, confirm: lease.confirm }
    const end = await rollOutOrReturn(run, cluster, held)
    const timeline = await prepared.timeline.finish(namespace, cluster)
    return { ...resultOf(end), timeline }
  } finally {
    await lease.release()
  }
}

type Run = {
  readonly options: DeployOptions
  readonly prepared: Prepared
  readonly confirm: () => Promise<void>
}

/** With the lease held: roll out, and where that fails return to what was good. */
async function rollOutOrReturn(
  run: Run,
  cluster: Cluster,
  world: World,
): Promise<Pick<DeployResult, 'outcome' | 'message' | 'failure'>> {
  const { options, prepared, confirm } = run
  const { objects, plan } = prepared
  const { namespace } = options.environment
  const created = plan.changes.filter(({ action }) => action === 'create')
  const absent = new Set(created.map(({ object }) => keyOf(object)))
  const before = await stateOrNew(options, cluster)
  if (before.pending !== undefined) world.progress.say(takeover(before.pending, options))
  // What a killed run had created is still nobody's: this run inherits it, and removes what it has no use for.
  const inherited = before.pending?.created ?? []
  const written = plan.changes.filter(({ action }) => action !== 'unchanged')
  const jobs = [...written, ...inherited].map(({ object }) => object)
  const at = world.clock.now().toISOString()
  const { handover, timeline } = prepared
  const traffic = handover.traffic
  const pending = { release: options.source.identity, at, created: inherited, traffic }
  await writeState(namespace, { ...before, pending }, cluster)
  const seconds = options.timeoutSeconds + pausesOf(options.environment.strategy)
  const deadline = world.clock.now().getTime() + seconds * 1000
  const state = { ...before, pending }
  const { evidenceFolder, settleSeconds } = options
  const course = { deadline, handover, timeline, confirm, evidenceFolder, settleSeconds }
  const target = { namespace, objects, plan, absent, state, isWayBack: false, ...course }
  try {
    const inventory = await rollOut(target, cluster, world)
    const wanted = new Set(objects.map(keyOf))
    const orphans = inherited.filter(({ object }) => !wanted.has(keyOf(object)))
    await removeObjects(orphans, cluster, world)
    // Until here the state names what was and what is new, so nothing that is removed or killed now can be forgotten.
    const left = await pruneObjects(prepared.prune.remove, cluster, world)
    const contracts = await contractsOf(jobs, cluster)
    const { pending: _done, ...rest } = withContracts(before, contracts)
    const good = {
      ...{ release: options.source.identity, planHash: prepared.whole.hash, at },
      inventory: [...inventory, ...doneJobs(prepared)],
      overlay: originOf(options.environment),
      left: [...prepared.prune.left, ...left],
    }
    await writeState(namespace, withHistory({ ...rest, good }, good.release), cluster)
    await removeFinishedHooks({ prepared, inventory }, cluster, world)
    return { outcome: 'deployed', message: `${options.source.identity} is ready in ${namespace}` }
  } catch (error) {
    world.signal.throwIfAborted()
    if (!(error instanceof UserError)) throw error
    if (error instanceof CanaryUndecided) return { outcome: 'inconclusive', message: error.message }
    const failure = failureOf(error)
    world.progress.warn(failure.message)
    return await restoreGood(
      { options, failure, handover, timeline, jobs, confirm },
      cluster,
      world,
    )
  }
}

async function stateOrNew(options: DeployOptions, cluster: Cluster): Promise<EnvironmentState> {
  const { application, environment } = options
  const found = await readState(environment.namespace, cluster)
  return found ?? { version: 1, application, environment: environment.name }
}

/** The lease and the state live in the namespace, so it is the first thing there is. */
async function createNamespace(
  plan: ApplyPlan,
  namespace: string,
  cluster: Cluster,
): Promise<void> {
  const own = plan.changes.find(
    ({ object }) => object.kind === 'Namespace' && object.metadata.name === namespace,
  )
  if (own !== undefined && own.action !== 'unchanged')
    await applyObject(own.object, plan.resources, cluster)
}
