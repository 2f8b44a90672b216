import { at, isObject, listAt, textAt } from '../../json.ts'
import { parseQuantity } from '../../rules/quantity.ts'

/** Whether one of these nodes could take the pod if nothing else ran there: its size, selector, affinity and taints fit. */
export function canEverFit(pod: unknown, nodes: readonly unknown[]): boolean {
  return nodes.some(
    (node) =>
      isSelected(pod, node) && isAffine(pod, node) && isTolerated(pod, node) && isLarge(pod, node),
  )
}

function isSelected(pod: unknown, node: unknown): boolean {
  const wanted = at(pod, 'spec', 'nodeSelector')
  const labels = at(node, 'metadata', 'labels')
  if (!isObject(wanted)) return true
  return Object.entries(wanted).every(([key, value]) => at(labels, key) === value)
}

/** Only what is required counts; terms are alternatives, expressions of one go together. */
function isAffine(pod: unknown, node: unknown): boolean {
  const required = 'requiredDuringSchedulingIgnoredDuringExecution'
  const terms = listAt(pod, 'spec', 'affinity', 'nodeAffinity', required, 'nodeSelectorTerms')
  if (terms.length === 0) return true
  const labels = at(node, 'metadata', 'labels')
  return terms.some((term) =>
    listAt(term, 'matchExpressions').every((expression) => {
      const held = textAt(labels, textAt(expression, 'key') ?? '')
      const values = listAt(expression, 'values')
      switch (textAt(expression, 'operator')) {
        case 'In':
          return held !== undefined && values.includes(held)
        case 'NotIn':
          return held === undefined || !values.includes(held)
        case 'Exists':
          return held !== undefined
        case 'DoesNotExist':
          return held === undefined
        default:
          return true // Gt and Lt: rather too hopeful than wrong.
      }
    }),
  )
}

function isTolerated(pod: unknown, node: unknown): boolean {
  const tolerations = listAt(pod, 'spec', 'tolerations')
  return listAt(node, 'spec', 'taints').every((taint) => {
    const key = textAt(taint, 'key') ?? ''
    // A node that is away for a while comes back.
    if (textAt(taint, 'effect') === 'PreferNoSchedule' || key.startsWith('node.kubernetes.io/'))
      return true
    return tolerations.some(
      (one) =>
        (textAt(one, 'key') ?? key) === key &&
        (textAt(one, 'effect') ?? textAt(taint, 'effect')) === textAt(taint, 'effect') &&
        (textAt(one, 'operator') === 'Exists' ||
          (textAt(one, 'value') ?? '') === (textAt(taint, 'value') ?? '')),
    )
  })
}

function isLarge(pod: unknown, node: unknown): boolean {
  return ['cpu', 'memory'].every((resource) => {
    const wanted = listAt(pod, 'spec', 'containers').reduce<number>(
      (sum, container) =>
        sum + (parseQuantity(at(container, 'resources', 'requests', resource)) ?? 0),
      0,
    )
    return wanted <= (parseQuantity(at(node, 'status', 'allocatable', resource)) ?? 0)
  })
}
