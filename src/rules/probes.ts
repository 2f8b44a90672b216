import { at, isObject, listAt, textAt } from '../json.ts'
import { declares, portPointerAt, portsOf, selectorOf, targetOf } from './ports.ts'
import type { Rule } from './rule.ts'
import { workloadsTaken } from './selector.ts'
import { type Container, longRunning, type Manifests, ofKind, type Workload } from './workload.ts'

const PROBES = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const

export const probesRule: Rule = {
  name: 'probes',
  claim: 'A container that stays has a startup, a liveness and a readiness probe.',
  check: (manifests) =>
    longRunning(manifests).flatMap(({ workload, container }) =>
      PROBES.filter((probe) => !isObject(at(container.spec, probe))).map((probe) => ({
        object: workload.object,
        path: `${container.path}.${probe}`,
        message: `there is no ${probe}; add one, by HTTP where it serves HTTP`,
      })),
    ),
}

export const probeTargetsRule: Rule = {
  name: 'probe-targets',
  claim: 'A container that serves HTTP is asked by HTTP, and a probe asks a port that is declared.',
  check: (manifests) =>
    longRunning(manifests).flatMap(({ workload, container }) =>
      PROBES.filter((probe) => isObject(at(container.spec, probe))).flatMap((probe) => {
        const message = problemOf(at(container.spec, probe), { workload, container }, manifests)
        const path = `${container.path}.${probe}`
        return message === undefined ? [] : [{ object: workload.object, path, message }]
      }),
    ),
}

function problemOf(
  probe: unknown,
  place: { readonly workload: Workload; readonly container: Container },
  manifests: Manifests,
): string | undefined {
  const { workload, container } = place
  const handler = ['httpGet', 'tcpSocket', 'grpc', 'exec'].find((kind) => isObject(at(probe, kind)))
  if (handler === undefined) return 'the probe asks nothing; give it httpGet'
  if (handler !== 'httpGet' && servesHttp(workload, container, manifests))
    return `it serves HTTP and is asked by ${handler}; use httpGet, which sees what a caller sees`
  const port = portPointerAt(probe, handler, 'port')
  if (handler === 'exec' || port === undefined || declares(container, port)) return undefined
  return `the container declares no port ${port}; name one of its ports`
}

/** By the name of a port, or because a Service says so of it. */
function servesHttp(workload: Workload, container: Container, manifests: Manifests): boolean {
  if (portsOf(container).some(({ name }) => /^https?(-|$)/.test(name))) return true
  return ofKind(manifests, 'Service')
    .filter((service) => {
      const selector = selectorOf(service)
      return (
        selector !== undefined && workloadsTaken(service, selector, manifests).includes(workload)
      )
    })
    .flatMap((service) => listAt(service, 'spec', 'ports'))
    .some((port) => {
      const target = targetOf(port)
      const isHttp = /^https?$/.test(textAt(port, 'appProtocol') ?? '')
      return isHttp && target !== undefined && declares(container, target)
    })
}
