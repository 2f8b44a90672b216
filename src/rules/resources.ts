import { at } from '../json.ts'
import { parseQuantity } from './quantity.ts'
import type { Finding, Rule } from './rule.ts'
import type { Container, Manifests, Workload } from './workload.ts'

/** The most that a container may ask for and use: nodes are planned with it. */
const BAND = {
  requests: { cpu: '100m', memory: '128Mi' },
  limits: { cpu: '500m', memory: '512Mi' },
} as const

const KINDS = ['requests', 'limits'] as const
const RESOURCES = ['cpu', 'memory'] as const

export const resourcesRule: Rule = {
  name: 'resources',
  claim:
    'Each container, those that prepare included, requests CPU and memory and has limits for both.',
  check: (manifests) =>
    eachResource(manifests, ({ kind, resource, given }) =>
      (parseQuantity(given) ?? 0) > 0
        ? undefined
        : `there is no ${kind}.${resource}; set it, at most ${BAND[kind][resource]}`,
    ),
}

export const resourceBandRule: Rule = {
  name: 'resource-band',
  claim: `Requests are at most ${textOf(BAND.requests)}, limits at most ${textOf(BAND.limits)}, and no request is above its limit.`,
  check: (manifests) =>
    eachResource(manifests, ({ kind, resource, given, container }) => {
      const [value, most] = [parseQuantity(given), parseQuantity(BAND[kind][resource])]
      if (value === undefined || most === undefined) return undefined
      if (value > most)
        return `${String(given)} is more than ${BAND[kind][resource]}; ask for less, or for more replicas`
      const limit = parseQuantity(at(container.spec, 'resources', 'limits', resource))
      return kind === 'requests' && limit !== undefined && value > limit
        ? 'the request is above the limit; no node would take the pod'
        : undefined
    }),
}

type Place = {
  readonly workload: Workload
  readonly container: Container
  readonly kind: (typeof KINDS)[number]
  readonly resource: (typeof RESOURCES)[number]
  readonly given: unknown
}

function eachResource(
  { workloads }: Manifests,
  problemOf: (place: Place) => string | undefined,
): readonly Finding[] {
  const places = workloads.flatMap((workload) =>
    workload.containers.flatMap((container) =>
      KINDS.flatMap((kind) =>
        RESOURCES.map((resource): Place => {
          const given = at(container.spec, 'resources', kind, resource)
          return { workload, container, kind, resource, given }
        }),
      ),
    ),
  )
  return places.flatMap((place) => {
    const message = problemOf(place)
    const path = `${place.container.path}.resources.${place.kind}.${place.resource}`
    return message === undefined ? [] : [{ object: place.workload.object, path, message }]
  })
}

function textOf(pair: { readonly cpu: string; readonly memory: string }): string {
  return `${pair.cpu} of CPU and ${pair.memory} of memory`
}
