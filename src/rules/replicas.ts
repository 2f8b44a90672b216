import { at, numberAt, textAt } from '../json.ts'
import { type KubeObject, nameOf } from '../render/manifest.ts'
import type { Finding, Rule } from './rule.ts'
import { isNeighbour, workloadsTaken } from './selector.ts'
import { type Manifests, ofKind, type Workload } from './workload.ts'

export const autoscalingRule: Rule = {
  name: 'autoscaling',
  claim: 'An autoscaler has a workload, alone, and that one names no number of replicas itself.',
  check: (manifests) =>
    ofKind(manifests, 'HorizontalPodAutoscaler').flatMap((scaler) => {
      const target = `${textAt(scaler, 'spec', 'scaleTargetRef', 'kind') ?? ''} ${targetName(scaler)}`
      const path = 'spec.scaleTargetRef'
      const workload = manifests.workloads.find((candidate) => isTargetOf(scaler, candidate))
      if (workload === undefined)
        return [{ object: scaler, path, message: `there is no ${target}; correct the name` }]
      const findings: Finding[] = []
      if (at(workload.object, 'spec', 'replicas') !== undefined)
        findings.push({
          object: workload.object,
          path: 'spec.replicas',
          message: 'an autoscaler owns this number, and each deploy would undo its work; remove it',
        })
      if (scalersOf(workload, manifests)[0] !== scaler)
        findings.push({ object: scaler, path, message: `another autoscaler has ${target} already` })
      const { least, most } = replicasOf(workload, manifests)
      if (least < 1 || most <= least)
        findings.push({
          object: scaler,
          path: 'spec.maxReplicas',
          message: `from ${least} to ${most} leaves nothing to scale; raise it, and start from 1 or more`,
        })
      return findings
    }),
}

export const disruptionBudgetRule: Rule = {
  name: 'disruption-budget',
  claim:
    'What can have several pods has one disruption budget, which lets a drained node move them.',
  check: (manifests) => [
    ...manifests.workloads
      .filter(({ isLongRunning }) => isLongRunning)
      .filter((workload) => replicasOf(workload, manifests).most > 1)
      .flatMap((workload) => countFindings(workload, manifests)),
    ...ofKind(manifests, 'PodDisruptionBudget').flatMap((budget) =>
      budgetFindings(budget, manifests),
    ),
  ],
}

function countFindings(workload: Workload, manifests: Manifests): readonly Finding[] {
  const { object } = workload
  const budgets = ofKind(manifests, 'PodDisruptionBudget').filter((budget) =>
    workloadsTaken(budget, at(budget, 'spec', 'selector'), manifests).includes(workload),
  )
  if (budgets.length === 1) return []
  const message =
    budgets.length === 0
      ? 'no PodDisruptionBudget selects its pods: a drained node may take all at once; add one'
      : `${budgets.map(nameOf).join(' and ')} select the same pods, which then can't be moved; keep one`
  return [{ object, path: 'spec.template.metadata.labels', message }]
}

function budgetFindings(budget: KubeObject, manifests: Manifests): readonly Finding[] {
  const taken = workloadsTaken(budget, at(budget, 'spec', 'selector'), manifests)
  if (taken.length === 0)
    return [
      { object: budget, path: 'spec.selector', message: 'it selects no pods; correct the labels' },
    ]
  const least = taken.reduce((sum, workload) => sum + replicasOf(workload, manifests).least, 0)
  if (movesOf(budget, least) > 0) return []
  const message = `of ${least} pods none may go, so a node can't be drained; use maxUnavailable: 1`
  return [{ object: budget, path: 'spec', message }]
}

/** How many of `pods` healthy pods may be taken away at the same time. */
function movesOf(budget: KubeObject, pods: number): number {
  const share = (value: unknown) =>
    typeof value === 'number'
      ? value
      : Math.ceil((pods * Number.parseFloat(textAt({ value }, 'value') ?? '0')) / 100)
  const unavailable = at(budget, 'spec', 'maxUnavailable')
  return unavailable === undefined
    ? pods - share(at(budget, 'spec', 'minAvailable') ?? 1)
    : share(unavailable)
}

/** How few and how many pods a workload may have, an autoscaler included. */
function replicasOf(
  workload: Workload,
  manifests: Manifests,
): { readonly least: number; readonly most: number } {
  const fixed = numberAt(workload.object, 'spec', 'replicas') ?? 1
  const [scaler] = scalersOf(workload, manifests)
  return {
    least: scaler === undefined ? fixed : (numberAt(scaler, 'spec', 'minReplicas') ?? 1),
    most: scaler === undefined ? fixed : (numberAt(scaler, 'spec', 'maxReplicas') ?? 1),
  }
}

function scalersOf(workload: Workload, manifests: Manifests): readonly KubeObject[] {
  return ofKind(manifests, 'HorizontalPodAutoscaler').filter((scaler) =>
    isTargetOf(scaler, workload),
  )
}

function isTargetOf(scaler: KubeObject, { object }: Workload): boolean {
  return (
    isNeighbour(scaler, object) &&
    textAt(scaler, 'spec', 'scaleTargetRef', 'kind') === object.kind &&
    targetName(scaler) === object.metadata.name
  )
}

function targetName(scaler: KubeObject): string {
  return textAt(scaler, 'spec', 'scaleTargetRef', 'name') ?? ''
}
