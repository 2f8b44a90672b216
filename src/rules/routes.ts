import { at, listAt, textAt } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'
import { declares, type PortPointer, portPointerAt, selectorOf, targetOf } from './ports.ts'
import type { Finding, Rule } from './rule.ts'
import { isNeighbour, workloadsTaken } from './selector.ts'
import { type Manifests, ofKind } from './workload.ts'

export const serviceTargetsRule: Rule = {
  name: 'service-targets',
  claim: 'Each Service leads to pods that stay, and to ports that they declare.',
  check: (manifests) =>
    ofKind(manifests, 'Service').flatMap((service) => serviceFindings(service, manifests)),
}

export const routesRule: Rule = {
  name: 'routes',
  claim: 'Ingresses and routes lead to Services of the release, and to ports that these have.',
  check: (manifests) =>
    [...ingressBackends(manifests), ...routeBackends(manifests)].flatMap((backend) => {
      const { object, path, name, port } = backend
      const service = ofKind(manifests, 'Service').find(
        (candidate) => candidate.metadata.name === name && isNeighbour(candidate, object),
      )
      if (service === undefined)
        return [{ object, path, message: `there is no Service ${name}; correct the name` }]
      const has = listAt(service, 'spec', 'ports').some(
        (found) => port === at(found, 'port') || port === at(found, 'name'),
      )
      return has
        ? []
        : [
            {
              object,
              path,
              message: `Service ${name} has no port ${String(port)}; name one it has`,
            },
          ]
    }),
}

function serviceFindings(service: KubeObject, manifests: Manifests): readonly Finding[] {
  const selector = selectorOf(service)
  // Without a selector somebody else fills in the addresses.
  if (selector === undefined || textAt(service, 'spec', 'type') === 'ExternalName') return []
  const found = (path: string, message: string): Finding => ({ object: service, path, message })
  const taken = workloadsTaken(service, selector, manifests)
  const passing = taken.find(({ isLongRunning, object }) => !isLongRunning && object.kind !== 'Pod')
  if (taken.length === 0)
    return [found('spec.selector', 'it selects no pods; take the labels of a workload')]
  if (passing !== undefined)
    return [
      found(
        'spec.selector',
        `it selects the pods of ${passing.object.kind} ${passing.object.metadata.name} too; select more closely`,
      ),
    ]
  return listAt(service, 'spec', 'ports').flatMap((port) => {
    const target = targetOf(port)
    const without = taken.find(
      ({ containers }) =>
        target === undefined || !containers.some((container) => declares(container, target)),
    )
    if (without === undefined) return []
    const path = `spec.ports[${textAt(port, 'name') ?? String(at(port, 'port'))}].targetPort`
    const message = `no container of ${without.object.metadata.name} declares port ${String(target)}; name one of its ports`
    return [found(path, message)]
  })
}

type Backend = {
  readonly object: KubeObject
  readonly path: string
  readonly name: string
  readonly port: PortPointer | undefined
}

function ingressBackends(manifests: Manifests): readonly Backend[] {
  return ofKind(manifests, 'Ingress').flatMap((object) => {
    const paths = listAt(object, 'spec', 'rules').flatMap((rule, index) =>
      listAt(rule, 'http', 'paths').map((entry, place) => ({
        backend: at(entry, 'backend'),
        path: `spec.rules[${index}].http.paths[${place}].backend`,
      })),
    )
    const fallback = at(object, 'spec', 'defaultBackend')
    return [...paths, { backend: fallback, path: 'spec.defaultBackend' }].flatMap(
      ({ backend, path }) => {
        const name = textAt(backend, 'service', 'name')
        const number = portPointerAt(backend, 'service', 'port', 'number')
        const port = number ?? portPointerAt(backend, 'service', 'port', 'name')
        return name === undefined ? [] : [{ object, path, name, port }]
      },
    )
  })
}

/** Routes of the Gateway API. One into another namespace is not ours to judge. */
function routeBackends(manifests: Manifests): readonly Backend[] {
  return ofKind(manifests, 'HTTPRoute', 'GRPCRoute').flatMap((object) =>
    listAt(object, 'spec', 'rules').flatMap((rule, index) =>
      listAt(rule, 'backendRefs')
        .filter((backend) => (textAt(backend, 'kind') ?? 'Service') === 'Service')
        .filter((backend) => textAt(backend, 'namespace') === undefined)
        .map((backend, place) => ({
          object,
          path: `spec.rules[${index}].backendRefs[${place}]`,
          name: textAt(backend, 'name') ?? '',
          port: portPointerAt(backend, 'port'),
        })),
    ),
  )
}
