import { UserError } from '../errors.ts'
import { at, canonicalJson, isObject, listAt, textAt } from '../json.ts'
import { keyOf, type KubeObject, nameOf } from '../render/manifest.ts'
import type { ApplyPlan, Change } from './changes.ts'
import { type Answer, type Cluster, reasonOf } from './cluster.ts'
import { completed, isIncomplete } from './completion.ts'
import { type Conflict, conflictsOf, withoutPaths } from './conflicts.ts'
import { deleteObject } from './delete.ts'
import { explain } from './explain.ts'
import { FIELD_MANAGER, isAutoscaled, isTaken, NOBODY, SCALER, takeOver } from './ownership.ts'
import { inParallel } from './parallel.ts'
import { codeOfRefusal } from './refusals.ts'
import type { Resources } from './resources.ts'
import { missingRight } from './rights.ts'

export { FIELD_MANAGER } from './ownership.ts'

/** Requests on their way at the same time: the server takes them in its own time, so more would only wait there. */
export const AT_ONCE = 16
/** Somebody may write in between: each time what stands in the way is looked at anew. */
const ROUNDS = 4
const JOB_REMOVAL_S = 30

/**
 * Writes objects, those of one kind at the same time, kinds in their order. What the plan found to be as it should is not
 * written. Returns each by key as the server has it now.
 */
export async function applyAll(
  objects: readonly KubeObject[],
  plan: ApplyPlan,
  cluster: Cluster,
): Promise<ReadonlyMap<string, unknown>> {
  const planned = new Map(plan.changes.map((change) => [keyOf(change.object), change]))
  const written = new Map<string, unknown>()
  for (const kind of new Set(objects.map((object) => object.kind))) {
    const same = objects.filter((object) => object.kind === kind)
    await inParallel(same, AT_ONCE, async (object) => {
      const change = planned.get(keyOf(object))
      const isSettled =
        change?.action === 'unchanged' && canonicalJson(change.object) === canonicalJson(object)
      written.set(
        keyOf(object),
        isSettled && change.live !== undefined
          ? change.live
          : await writeObject(object, { ...plan, change }, cluster),
      )
    })
  }
  return written
}

/** Writes one object by server-side apply. Returns it as the server has it now. */
export async function applyObject(
  object: KubeObject,
  resources: Resources,
  cluster: Cluster,
): Promise<unknown> {
  return await writeObject(object, { resources }, cluster)
}

type Writing = { readonly resources: Resources; readonly change?: Change | undefined }

async function writeObject(
  object: KubeObject,
  { resources, change }: Writing,
  cluster: Cluster,
): Promise<unknown> {
  const path = await resources.pathOf(object)
  if (object.kind === 'Job') await removeFailedJob(object, path, cluster)
  let live = change?.live
  if (isIncomplete(object) || (change?.taken ?? []).length > 0) live = await read(path, cluster)
  if ((change?.taken ?? []).length > 0) live = await takeFields(object, { path, live }, cluster)
  let wanted = completed(object, live)
  let force = (change?.forced ?? []).length > 0
  for (let round = 1; ; round += 1) {
    const answer = await sendApply(cluster, { path, object: wanted, dryRun: false, force })
    if (answer.status < 300) return answer.body
    live = answer.status === 404 ? undefined : await read(path, cluster)
    if (isSettledNamespace(object, live, answer)) return live
    const settled = settleConflicts(answer, { object: wanted, live, force })
    if (settled.conflicts.length === 0 || settled.refused.length > 0 || round === ROUNDS)
      throw new UserError(
        `${nameOf(object)} was refused: ${explain(answer, wanted, { live, conflicts: settled.refused })}`,
        [],
        { code: codeOfRefusal(answer) },
      )
    if (settled.isTaken) await takeFields(object, { path, live }, cluster)
    wanted = settled.object
    force ||= settled.needsForce
  }
}

/** What can be done about the conflicts of an apply. */
export type Settlement = {
  readonly conflicts: readonly Conflict[]
  /** Without what an autoscaler owns. */
  readonly object: KubeObject
  /** Whether fields of earlier tools stand in the way, which become ours. */
  readonly isTaken: boolean
  /** Whether the next try has to overrun anybody. */
  readonly needsForce: boolean
  /** Fields of others that are overrun because it was asked for. */
  readonly forced: readonly Conflict[]
  /** Fields of others that nobody has allowed to overrun. */
  readonly refused: readonly Conflict[]
  readonly left: readonly Conflict[]
}

export function settleConflicts(
  answer: Answer,
  what: { readonly object: KubeObject; readonly live: unknown; readonly force: boolean },
): Settlement {
  const conflicts = conflictsOf(answer)
  const left = conflicts.filter(isAutoscaled)
  const harmless = conflicts.filter(({ manager }) => manager === NOBODY || manager === SCALER)
  const others = conflicts.filter((one) => !left.includes(one) && !harmless.includes(one))
  const foreign = others.filter(
    ({ manager, subresource }) => subresource !== '' || !isTaken(manager),
  )
  return {
    conflicts,
    object: withoutPaths(
      what.object,
      left.map(({ field }) => field),
    ),
    isTaken: foreign.length < others.length,
    needsForce: harmless.length > 0 || (what.force && foreign.length > 0),
    forced: what.force ? foreign : [],
    refused: what.force ? [] : foreign,
    left,
  }
}

async function takeFields(
  object: KubeObject,
  what: { readonly path: string; readonly live: unknown },
  cluster: Cluster,
): Promise<unknown> {
  let { live } = what
  for (let round = 1; ; round += 1) {
    const body = takeOver(object, live)
    if (body === undefined) return live
    const answer = await cluster.call({
      method: 'PATCH',
      path: `${what.path}?fieldManager=${FIELD_MANAGER}-takeover`,
      contentType: 'application/json-patch+json',
      body,
    })
    if (answer.status < 300) return answer.body
    // 409: it was changed since it was read.
    if (answer.status !== 409 || round === ROUNDS)
      throw new UserError(`${nameOf(object)} can't be taken over: ${reasonOf(answer)}`)
    live = await read(what.path, cluster)
  }
}

async function read(path: string, cluster: Cluster): Promise<unknown> {
  const answer = await cluster.call({ method: 'GET', path })
  return answer.status === 200 ? answer.body : undefined
}

/** A failed Job of the same content stands in the way of the next attempt. */
async function removeFailedJob(object: KubeObject, path: string, cluster: Cluster): Promise<void> {
  const live = await read(path, cluster)
  if (live === undefined || !hasFailed(live)) return
  await deleteObject(object, textAt(live, 'metadata', 'uid') ?? '', cluster)
  for (let waited = 0; waited < JOB_REMOVAL_S; waited += 1) {
    if ((await read(path, cluster)) === undefined) return
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
  throw new UserError(`${nameOf(object)} failed before and can't be removed; delete it by hand`)
}

export function hasFailed(job: unknown): boolean {
  return listAt(job, 'status', 'conditions').some(
    (condition) => textAt(condition, 'type') === 'Failed' && textAt(condition, 'status') === 'True',
  )
}

export async function sendApply(
  cluster: Cluster,
  write: {
    readonly path: string
    readonly object: KubeObject
    readonly dryRun: boolean
    readonly force: boolean
  },
): Promise<Answer> {
  const query = new URLSearchParams({ fieldManager: FIELD_MANAGER, fieldValidation: 'Strict' })
  if (write.dryRun) query.set('dryRun', 'All')
  if (write.force) query.set('force', 'true')
  return await cluster.call({
    method: 'PATCH',
    path: `${write.path}?${query.toString()}`,
    contentType: 'application/apply-patch+yaml',
    body: write.object,
  })
}

/**
 * Whoever may write a Namespace may lift its Pod Security, so a deployer should not: then its administrator has made it, and
 * there is nothing to write where it has all that is wanted.
 */
export function isSettledNamespace(object: KubeObject, live: unknown, tried: Answer): boolean {
  return (
    object.kind === 'Namespace' &&
    live !== undefined &&
    missingRight(tried) !== undefined &&
    hasAll(live, object)
  )
}

function hasAll(live: unknown, wanted: unknown): boolean {
  if (!isObject(wanted)) return canonicalJson(live) === canonicalJson(wanted)
  return Object.entries(wanted).every(([key, value]) => hasAll(at(live, key), value))
}
