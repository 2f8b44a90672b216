import { nameOf } from '../render/manifest.ts'
import type { Rule } from './rule.ts'
import { ofKind } from './workload.ts'

const ENFORCE = 'pod-security.kubernetes.io/enforce'

export const restrictedNamespaceRule: Rule = {
  name: 'restricted-namespace',
  claim: 'Workloads run in namespaces of the release, where the server enforces "restricted".',
  check: (manifests) => {
    const namespaces = ofKind(manifests, 'Namespace')
    const known = new Set(namespaces.map(({ metadata }) => metadata.name))
    return [
      ...namespaces
        .filter(({ metadata }) => metadata.labels?.[ENFORCE] !== 'restricted')
        .map((object) => ({
          object,
          path: `metadata.labels["${ENFORCE}"]`,
          message: `set it to restricted; without it ${nameOf(object)} takes privileged pods`,
        })),
      ...manifests.workloads
        .map(({ object }) => object)
        .filter(({ metadata }) => !known.has(metadata.namespace ?? ''))
        .map((object) => ({
          object,
          path: 'metadata.namespace',
          message: 'no Namespace of the release is meant; name one that it brings',
        })),
    ]
  },
}
