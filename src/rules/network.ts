import { at, isObject, listAt } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'
import {
  declares,
  type PortPointer,
  portPointerAt,
  selectorOf,
  synonyms,
  targetOf,
} from './ports.ts'
import type { Finding, Rule } from './rule.ts'
import { isEmptySelector, isNeighbour, workloadsTaken } from './selector.ts'
import { type Manifests, ofKind, type Workload } from './workload.ts'

const DIRECTIONS = [
  { type: 'Ingress', rules: 'ingress', peers: 'from' },
  { type: 'Egress', rules: 'egress', peers: 'to' },
] as const

export const defaultDenyRule: Rule = {
  name: 'default-deny',
  claim: 'In each namespace nothing may be called and nothing may call unless a policy allows it.',
  check: (manifests) => [
    ...ofKind(manifests, 'Namespace').flatMap((object) => {
      const open = DIRECTIONS.filter(
        ({ type, rules }) =>
          !policies(manifests)
            .filter(({ metadata }) => metadata.namespace === object.metadata.name)
            .filter((policy) => isEmptySelector(at(policy, 'spec', 'podSelector')))
            .some((policy) => isAbout(policy, type) && listAt(policy, 'spec', rules).length === 0),
      )
      return open.map(({ type }) => ({
        object,
        path: 'metadata.name',
        message: `no NetworkPolicy denies all ${type}; add one with an empty podSelector and no rules`,
      }))
    }),
    ...policies(manifests).flatMap(openFindings),
  ],
}

export const networkAllowRule: Rule = {
  name: 'network-allow',
  claim: 'Policies allow each workload something, and admit callers to what its Services promise.',
  check: (manifests) =>
    manifests.workloads.flatMap((workload) => {
      const { object } = workload
      const path = `${workload.path.replace(/\.?spec$/, '')}.metadata.labels`.replace(/^\./, '')
      const own = policies(manifests).filter((policy) =>
        workloadsTaken(policy, at(policy, 'spec', 'podSelector'), manifests).includes(workload),
      )
      // One for all pods, such as for DNS, knows nothing of this one.
      const allows = own
        .filter((policy) => !isEmptySelector(at(policy, 'spec', 'podSelector')))
        .some((policy) => DIRECTIONS.some(({ rules }) => listAt(policy, 'spec', rules).length > 0))
      if (!allows)
        return [
          {
            object,
            path,
            message: 'no NetworkPolicy is about its pods; add one that allows what they need',
          },
        ]
      return servedPorts(workload, manifests)
        .filter((port) => !own.some((policy) => admits(policy, synonyms(workload, port))))
        .map((port) => ({
          object,
          path,
          message: `a Service leads to port ${port}, and no NetworkPolicy admits callers there`,
        }))
    }),
}

/** A rule without peers and ports allows everything: the denial is worth nothing then. */
function openFindings(policy: KubeObject): readonly Finding[] {
  return DIRECTIONS.flatMap(({ rules, peers }) =>
    listAt(policy, 'spec', rules).flatMap((rule, index) => {
      const isOpen = listAt(rule, peers).length === 0 && listAt(rule, 'ports').length === 0
      const message = `this rule allows everything; name peers in "${peers}", or ports`
      return isOpen ? [{ object: policy, path: `spec.${rules}[${index}]`, message }] : []
    }),
  )
}

function policies(manifests: Manifests): readonly KubeObject[] {
  return ofKind(manifests, 'NetworkPolicy')
}

/** Without `policyTypes` a policy is about Ingress, and about Egress where it has rules for it. */
function isAbout(policy: KubeObject, type: 'Ingress' | 'Egress'): boolean {
  const types = at(policy, 'spec', 'policyTypes')
  if (Array.isArray(types)) return types.includes(type)
  return type === 'Ingress' || isObject(at(policy, 'spec', 'egress', 0))
}

function admits(policy: KubeObject, port: readonly PortPointer[]): boolean {
  return listAt(policy, 'spec', 'ingress').some((rule) => {
    const named = listAt(rule, 'ports')
    if (named.length === 0) return true
    return named.some((entry) => {
      const pointer = portPointerAt(entry, 'port')
      return pointer === undefined || port.includes(pointer)
    })
  })
}

function servedPorts(workload: Workload, manifests: Manifests): readonly PortPointer[] {
  const ports = ofKind(manifests, 'Service')
    .filter((service) => isNeighbour(service, workload.object))
    .filter((service) => {
      const selector = selectorOf(service)
      return (
        selector !== undefined && workloadsTaken(service, selector, manifests).includes(workload)
      )
    })
    .flatMap((service) => listAt(service, 'spec', 'ports'))
    .flatMap((port) => targetOf(port) ?? [])
    .filter((port) => workload.containers.some((container) => declares(container, port)))
  return [...new Set(ports)]
}
