import { applyObject, type ApplyPlan, planApply } from '../cluster/apply.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { holdLease } from '../cluster/lease.ts'
import { type EnvironmentState, readState, writeState } from '../cluster/state.ts'
import { listNamespace, type Picture, watchNamespace } from '../cluster/watch.ts'
import { UserError } from '../errors.ts'
import { canonicalJson } from '../json.ts'
import { sha256 } from '../registry/client.ts'
import { renderEnvironment } from '../render/kustomize.ts'
import { keyOf, type KubeObject, nameOf } from '../render/manifest.ts'
import type { World } from '../world.ts'
import type { DeployOptions, DeployResult } from './outcome.ts'
import { requireProvided } from './provided.ts'
import { isAwaited, readinessOf } from './readiness.ts'
import { restoreGood } from './rollback.ts'
import { prunable, removeObjects, rollOut } from './rollout.ts'
import { refreshFromStores, withSecretTimes } from './rotation.ts'
import { RolloutFailed, waitUntilReady } from './wait.ts'

/** Brings an environment to a release and waits for the truth. Bad input throws before anything is written. */
export async function deploy(
  options: DeployOptions,
  cluster: Cluster,
  world: World,
): Promise<DeployResult> {
  const { environment, source } = options
  const { namespace } = environment
  const { progress } = world
  const rendered = await progress.step('Render the manifests', () =>
    renderEnvironment(source, environment, world),
  )
  const planHash = sha256(Buffer.from(canonicalJson(rendered)))
  if (options.mode === 'apply') await refreshFromStores(rendered, cluster, world)
  const objects = await withSecretTimes(rendered, rendered, cluster)
  const plan = await progress.step(`Try ${objects.length} objects on the server`, () =>
    planApply(objects, cluster),
  )
  await requireProvided(objects, cluster)
  const changed = plan.changes.filter(({ action }) => action !== 'unchanged')
  for (const { object, action, fields } of changed)
    progress.say(`${action} ${nameOf(object)} ${fields.join(' ')}`.trimEnd())
  const base = { release: source.identity, planHash, changes: plan.changes }
  if (options.mode === 'plan')
    return { ...base, outcome: 'planned', message: `${changed.length} objects would change` }
  const state = await readState(namespace, cluster)
  const gone = options.prune ? prunable(objects, state) : []
  const settled = state?.good?.release === source.identity && state.pending === undefined
  if (settled && changed.length + gone.length === 0)
    return { ...base, ...(await confirmReady(options, objects, { cluster, world })) }
  await createNamespace(plan, namespace, cluster)
  const lease = await holdLease(
    { namespace, name: 'todo-deploy', holder: options.holder },
    cluster,
    {
      clock: world.clock,
      signal: world.signal,
      say: progress.say,
    },
  )
  try {
    const created = plan.changes.filter(({ action }) => action === 'create')
    const absent = new Set(created.map(({ object }) => keyOf(object)))
    const run = { options, objects, planHash, absent }
    return { ...base, ...(await rollOutOrReturn(run, cluster, world)) }
  } finally {
    await lease.release()
  }
}

type Run = {
  readonly options: DeployOptions
  readonly objects: readonly KubeObject[]
  readonly planHash: string
  readonly absent: ReadonlySet<string>
}

/** With the lease held: roll out, and where that fails return to what was good. */
async function rollOutOrReturn(
  run: Run,
  cluster: Cluster,
  world: World,
): Promise<Pick<DeployResult, 'outcome' | 'message' | 'failure'>> {
  const { options, objects, planHash, absent } = run
  const { namespace } = options.environment
  const before = await stateOrNew(options, cluster)
  if (before.pending !== undefined)
    world.progress.say(
      `A deploy of ${before.pending.release} did not end (${before.pending.at}); this one takes over`,
    )
  // What a killed run had created is still nobody's: this run inherits it, and removes what it has no use for.
  const inherited = before.pending?.created ?? []
  const at = world.clock.now().toISOString()
  const pending = { release: options.source.identity, at, created: inherited }
  await writeState(namespace, { ...before, pending }, cluster)
  const deadline = world.clock.now().getTime() + options.timeoutSeconds * 1000
  const { prune } = options
  const state = { ...before, pending }
  const target = { namespace, objects, deadline, prune, absent, state, isWayBack: false }
  try {
    const inventory = await rollOut(target, cluster, world)
    const wanted = new Set(objects.map(keyOf))
    const orphans = inherited.filter(({ object }) => !wanted.has(keyOf(object)))
    await removeObjects(orphans, cluster, world)
    const { pending: _done, ...rest } = before
    const good = { release: options.source.identity, planHash, at, inventory }
    await writeState(namespace, { ...rest, good }, cluster)
    return { outcome: 'deployed', message: `${options.source.identity} is ready in ${namespace}` }
  } catch (error) {
    world.signal.throwIfAborted()
    if (!(error instanceof UserError)) throw error
    const failure =
      error instanceof RolloutFailed ? error : new RolloutFailed(error.message, undefined, [])
    world.progress.warn(failure.message)
    return await restoreGood({ options, failure }, cluster, world)
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

/** Nothing is to be written. What is not ready just now, such as a pod an autoscaler has added, is waited for all the same. */
async function confirmReady(
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
  const watch = await watchNamespace({ namespace, objects }, cluster, world.signal)
  try {
    await world.progress.step('Wait for what is not ready', () =>
      waitUntilReady({ objects, namespace, deadline, written: new Map() }, watch, context),
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
