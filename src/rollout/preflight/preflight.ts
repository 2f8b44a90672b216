import type { ApplyPlan } from '../../cluster/changes.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { type Problem, REFUSED, tryObjects, withoutNamespace } from '../../cluster/dryrun.ts'
import type { Resources } from '../../cluster/resources.ts'
import { forbiddenOf, type Wish } from '../../cluster/permissions.ts'
import { describeRight, lacking, type Right } from '../../cluster/rights.ts'
import type { EnvironmentState } from '../../cluster/state.ts'
import { at } from '../../json.ts'
import { isRemovedAfterSuccess } from '../../render/hooks.ts'
import { keyOf, type KubeObject } from '../../render/manifest.ts'
import { faultsOf } from './faults.ts'
import { type Lint, lintObjects } from './lint.ts'
import { alone, group, type Group, refuseAll } from './refusal.ts'
import { missingProvided, NOT_PROVIDED } from './provided.ts'
import { planPrune, type PrunePlan } from '../prune.ts'

export type Question = {
  readonly objects: readonly KubeObject[]
  readonly namespace: string
  readonly state: EnvironmentState | undefined
  /** Where the objects come from: the overlay or the chart. */
  readonly origin: string
  readonly prune: boolean
  readonly lint: Lint
  readonly force: boolean
  /** What is known already about the kinds that the server serves. */
  readonly resources?: Resources
}

export type Preflight = {
  readonly plan: ApplyPlan
  readonly prune: PrunePlan
  /** What may lose requests. */
  readonly warnings: readonly string[]
  /** What goes well, and somebody should know. */
  readonly notes: readonly string[]
}

/**
 * Asks everything that can be asked before the first write: rights, a strict dry run of the whole set, digests, order, Secrets from
 * outside, what would be removed, and what would lose requests. Throws `UserError` with all that is wrong, at once.
 */
export async function preflight(question: Question, cluster: Cluster): Promise<Preflight> {
  const { objects, state, force, resources } = question
  const ran = (state?.good?.inventory ?? []).filter(({ object }) => removesItself(object))
  const done = new Set(ran.map(({ object }) => keyOf(object)))
  const [trial, missing, prune] = await Promise.all([
    tryObjects(objects, cluster, { force, done, ...(resources && { resources }) }),
    missingProvided(objects, cluster),
    planPrune({ ...question, isWanted: question.prune }, cluster),
  ])
  const wishes = await wishesOf(trial.plan, prune, question.namespace)
  const lacks = [...trial.lacks, ...(await forbiddenOf(wishes, cluster))]
  const lint = question.lint === 'off' ? [] : lintObjects(objects)
  refuseAll([
    rights(lacks),
    ...trial.absent.map((namespace) => alone(withoutNamespace(namespace), 'namespace-missing')),
    group(REFUSED, trial.problems.map(textOf), trial.problems[0]?.code),
    group(NOT_PROVIDED, missing, 'secret-missing'),
    ...faultsOf(objects, question.lint),
    ...prune.problems.map((problem) => alone(problem, 'prune-refused')),
  ])
  return { plan: trial.plan, prune, warnings: lint, notes: [...trial.notes, ...prune.notes] }
}

/** A Job that is gone after its work, by its own time limit or as its chart wants it: not to be there means nothing. */
function removesItself(object: KubeObject): boolean {
  if (object.kind !== 'Job') return false
  return (
    at(object, 'spec', 'ttlSecondsAfterFinished') !== undefined || isRemovedAfterSuccess(object)
  )
}

/** What a deploy does whatever it deploys: its lease, its state, and looking whether all is ready. */
const ALWAYS = [
  ['list', '', 'pods'],
  ['list', 'apps', 'deployments'],
  ['list', 'apps', 'replicasets'],
  ['list', 'apps', 'statefulsets'],
  ['list', 'apps', 'daemonsets'],
  ['list', 'batch', 'jobs'],
  ['list', 'discovery.k8s.io', 'endpointslices'],
  ['get', '', 'secrets'],
  ['create', '', 'secrets'],
  ['patch', '', 'secrets', 'todo-deploy-state'],
  ['create', 'coordination.k8s.io', 'leases'],
  ['get', 'coordination.k8s.io', 'leases', 'todo-deploy'],
  ['update', 'coordination.k8s.io', 'leases', 'todo-deploy'],
] as const

/** Every right that this deploy may need, each once. Namespaces are an administrator's: the dry run tells about them. */
async function wishesOf(
  plan: ApplyPlan,
  prune: PrunePlan,
  namespace: string,
): Promise<readonly Wish[]> {
  const wishes: Wish[] = ALWAYS.map(([verb, group, resource, name]) => ({
    ...{ verb, group, resource, namespace },
    ...(name === undefined ? {} : { name }),
  }))
  const wish = async (object: KubeObject, verbs: readonly string[]) => {
    const kind = await plan.resources.kindOf(object)
    if (kind === undefined || object.kind === 'Namespace') return
    const place = kind.namespaced ? object.metadata.namespace : undefined
    for (const verb of verbs)
      wishes.push({ verb, group: kind.group, resource: kind.plural, namespace: place })
  }
  for (const { object, action } of plan.changes)
    await wish(object, action === 'create' ? ['get', 'create', 'patch'] : ['get', 'patch'])
  for (const { entry } of prune.remove) await wish(entry.object, ['delete'])
  const unique = new Map(wishes.map((one) => [JSON.stringify(one), one]))
  return [...unique.values()]
}

function rights(lacks: readonly Right[]): Group[] {
  if (lacks.length === 0) return []
  const missing = [...new Set(lacks.map(describeRight))].sort()
  const details = ['nothing was changed', ...missing.map((right) => `missing: ${right}`)]
  return [{ message: `This login ${lacking(lacks)}`, details, code: 'rights-missing' }]
}

function textOf({ text }: Problem): string {
  return text
}
