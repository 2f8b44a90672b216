import { refuse, UserError } from '../errors.ts'
import { textAt } from '../json.ts'
import { keyOf, type KubeObject, nameOf } from '../render/manifest.ts'
import {
  AT_ONCE,
  hasFailed,
  isSettledNamespace,
  sendApply,
  settleConflicts,
  type Settlement,
} from './apply.ts'
import type { ApplyPlan, Change } from './changes.ts'
import type { Answer, Cluster } from './cluster.ts'
import { completed } from './completion.ts'
import type { Conflict } from './conflicts.ts'
import { differencesOf } from './diff.ts'
import { explain } from './explain.ts'
import { type LiveStates, readLiveStates } from './livestates.ts'
import { stateAfterTakeOver } from './adoption.ts'
import { takenOf } from './ownership.ts'
import { inParallel } from './parallel.ts'
import { codeOfRefusal } from './refusals.ts'
import { discoverResources, type Resources } from './resources.ts'
import { describeRight, lacking, missingRight, type Right } from './rights.ts'

/** A plan, and everything that stands in its way. */
export type Trial = {
  readonly plan: ApplyPlan
  /** Namespaces that nobody makes. */
  readonly absent: readonly string[]
  readonly problems: readonly Problem[]
  readonly lacks: readonly Right[]
  /** What goes well, and somebody should know. */
  readonly notes: readonly string[]
}

/** Why an object can't be applied, and the same as a code of docs/causes.md. */
export type Problem = { readonly text: string; readonly code: string }

export type TrialOptions = {
  /** Whether fields that others have set are overrun. */
  readonly force?: boolean
  /** Keys of Jobs that ran and were removed as asked: they are not run again. */
  readonly done?: ReadonlySet<string>
  /** What is known already about the kinds that the server serves. */
  readonly resources?: Resources
}

/** Runs the whole set through the server's admission without writing. Every problem is reported, then nothing is done. */
export async function planApply(
  objects: readonly KubeObject[],
  cluster: Cluster,
  options: TrialOptions = {},
): Promise<ApplyPlan> {
  const { plan, absent, problems, lacks } = await tryObjects(objects, cluster, options)
  const texts = [...absent.map(withoutNamespace), ...problems.map(({ text }) => text)]
  if (lacks.length > 0) refuseWithoutRights(lacks, texts)
  if (texts.length > 0) refuse(REFUSED, texts)
  return plan
}

export const REFUSED = 'The cluster refuses the manifests'

export function withoutNamespace(namespace: string): string {
  return `The namespace ${namespace} does not exist; create it or add it to the overlay`
}

/** The same for those who have more to say before they refuse: nothing is thrown for what is found. */
export async function tryObjects(
  objects: readonly KubeObject[],
  cluster: Cluster,
  options: TrialOptions,
): Promise<Trial> {
  const resources = options.resources ?? discoverResources(cluster)
  const { missing, absent } = await missingNamespaces(objects, cluster)
  const there = objects.filter(({ metadata }) => !missing.has(metadata.namespace ?? ''))
  const live = await readLiveStates(there, { cluster, resources })
  const context = { objects, cluster, options, resources, missing, live }
  const tried = await inParallel(objects, AT_ONCE, (object) => tryObject(object, context))
  return {
    plan: { changes: tried.map(({ change }) => change), resources },
    absent,
    problems: tried.flatMap((one) => one.problem ?? []),
    lacks: tried.flatMap((one) => one.lacks ?? []),
    notes: tried.flatMap((one) => one.notes ?? []),
  }
}

type Context = {
  readonly objects: readonly KubeObject[]
  readonly cluster: Cluster
  readonly options: TrialOptions
  readonly resources: Resources
  /** Namespaces that this very set makes. */
  readonly missing: ReadonlySet<string>
  readonly live: LiveStates
}

type Tried = {
  readonly change: Change
  readonly problem?: Problem
  readonly lacks?: readonly Right[]
  readonly notes?: readonly string[]
}

async function tryObject(object: KubeObject, context: Context): Promise<Tried> {
  const { cluster, options, resources } = context
  const change: Change = { object, action: 'create', fields: [] }
  // In a namespace of this very set the server can't try anything before it exists; nor a kind that this set defines.
  if (context.missing.has(object.metadata.namespace ?? '')) return { change }
  if (!(await resources.isServed(object))) {
    if (context.objects.some((other) => defines(other, object))) return { change }
    const text = `${nameOf(object)}: the cluster has no ${object.apiVersion} ${object.kind}`
    return { change, problem: { text, code: 'manifest-invalid' } }
  }
  const path = await resources.pathOf(object)
  const read = await context.live(object)
  const live = read.status === 200 ? read.body : undefined
  if (object.kind === 'Job' && live !== undefined) return { change: jobChange(object, live) }
  if (live === undefined && options.done?.has(keyOf(object)) === true)
    return { change: { ...change, action: 'unchanged' } }
  const { answer, settled, wanted } = await settle(object, { path, live }, context)
  const unchanged: Change = { object: wanted, action: 'unchanged', fields: [], live }
  if (isSettledNamespace(object, live, answer)) return { change: unchanged }
  const lacks = [read, answer].flatMap((one) => missingRight(one) ?? [])
  if (lacks.length > 0) return { change, lacks }
  if (isUntried(answer)) return { change, notes: [untriedNote(object)] }
  if (answer.status >= 300) {
    const why = explain(answer, object, { live, conflicts: settled.refused })
    return { change, problem: { text: `${nameOf(object)}: ${why}`, code: codeOfRefusal(answer) } }
  }
  const notes = settled.left.map((left) => leftNote(object, left))
  if (live === undefined) return { change, notes }
  const taken = takenOf(live)
  const after =
    taken.length === 0
      ? answer.body
      : await stateAfterTakeOver(answer, { wanted: completed(wanted, live), live, path }, cluster)
  const differences = differencesOf(live, after)
  const isSame = differences.length === 0 && taken.length === 0
  const found: Change = {
    ...{ object: wanted, action: isSame ? 'unchanged' : 'update', live, differences },
    fields: differences.map((difference) => difference.path),
    ...(taken.length > 0 ? { taken } : {}),
    ...(settled.forced.length > 0 ? { forced: settled.forced } : {}),
  }
  return { change: found, notes: [...notes, ...forcedNotes(object, settled.forced)] }
}

const ROUNDS = 3

/** Dry runs until what stands in the way is settled, or can't be. */
async function settle(
  object: KubeObject,
  { path, live }: { readonly path: string; readonly live: unknown },
  { cluster, options }: Context,
): Promise<{ readonly answer: Answer; readonly settled: Settlement; readonly wanted: KubeObject }> {
  let wanted = object
  let force = false
  let said: Settlement | undefined
  for (let round = 1; ; round += 1) {
    const write = { path, object: completed(wanted, live), dryRun: true, force }
    const answer = await sendApply(cluster, write)
    const how = { object: wanted, live, force: options.force === true }
    const now = settleConflicts(answer, how)
    const settled = said === undefined ? now : { ...now, left: said.left, forced: said.forced }
    if (now.conflicts.length === 0 || now.refused.length > 0 || round === ROUNDS)
      return { answer, settled, wanted }
    said = settled
    wanted = now.object
    force = force || now.isTaken || now.needsForce
  }
}

function defines(definition: KubeObject, object: KubeObject): boolean {
  if (definition.kind !== 'CustomResourceDefinition') return false
  const group = textAt(definition, 'spec', 'group')
  return (
    textAt(definition, 'spec', 'names', 'kind') === object.kind &&
    object.apiVersion.startsWith(`${group ?? ''}/`)
  )
}

/** A Job is named by its content: if it is there, it runs or ran. Only one that failed is made anew. */
function jobChange(object: KubeObject, live: unknown): Change {
  return hasFailed(live)
    ? { object, action: 'update', fields: ['.status (it failed before)'], live }
    : { object, action: 'unchanged', fields: [], live }
}

/** A webhook with side effects can't be tried: the write will tell. */
function isUntried(answer: Answer): boolean {
  return answer.status === 400 && /does not support dry run/.test(answer.text)
}

function untriedNote(object: KubeObject): string {
  return `${nameOf(object)} could not be tried: a webhook of the cluster does not support dry runs`
}

function leftNote(object: KubeObject, { field, manager, subresource }: Conflict): string {
  const who = subresource === 'scale' ? 'the autoscaler' : manager
  return `${nameOf(object)}: ${field} is left to ${who}`
}

function forcedNotes(object: KubeObject, forced: readonly Conflict[]): readonly string[] {
  return forced.map(({ field, manager }) => `${nameOf(object)}: ${field} is taken from ${manager}`)
}

async function missingNamespaces(
  objects: readonly KubeObject[],
  cluster: Cluster,
): Promise<{ readonly missing: ReadonlySet<string>; readonly absent: readonly string[] }> {
  const used = [...new Set(objects.flatMap((object) => object.metadata.namespace ?? []))]
  const answers = await inParallel(used, AT_ONCE, (namespace) =>
    cluster.call({ method: 'GET', path: `/api/v1/namespaces/${namespace}` }),
  )
  const missing = used.filter((_namespace, index) => answers[index]?.status === 404)
  const made = objects
    .filter(({ kind }) => kind === 'Namespace')
    .map(({ metadata }) => metadata.name)
  return {
    missing: new Set(missing),
    absent: missing.filter((namespace) => !made.includes(namespace)),
  }
}

/** All rights together in the first line: one by one, each would cost another try. */
export function refuseWithoutRights(lacks: readonly Right[], problems: readonly string[]): never {
  const missing = [...new Set(lacks.map(describeRight))].sort()
  throw new UserError(`This login ${lacking(lacks)}`, [
    'nothing was changed',
    ...missing.map((right) => `missing: ${right}`),
    ...problems,
  ])
}
