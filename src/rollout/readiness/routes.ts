import { listAt, numberAt, textAt } from '../../json.ts'
import type { KubeObject } from '../../render/manifest.ts'
import { conditionOf, findLive } from './live.ts'
import { failed, type Readiness, ready, type View, waiting } from './verdict.ts'

/** Many controllers write no address into an Ingress, so none is waited for; its Services are waited for on their own. */
export function ingressReadiness(object: KubeObject, { picture, witness }: View): Readiness {
  const live = findLive(object, picture.Ingress)
  if (live === undefined) return waiting('not there yet')
  const className = textAt(live, 'spec', 'ingressClassName')
  const path = `/apis/networking.k8s.io/v1/ingressclasses/${className ?? ''}`
  // No controller will ever answer; the application itself may be well.
  if (className !== undefined && witness.read(path) === 'missing')
    return ready(`nobody serves it: there is no IngressClass ${className}`)
  const addresses = listAt(live, 'status', 'loadBalancer', 'ingress')
  return ready(addresses.length === 0 ? 'written' : 'it has an address')
}

/** Accepted by each of its Gateways, with all that it refers to, and so for the newest generation. */
export function routeReadiness(object: KubeObject, { picture }: View): Readiness {
  const live = findLive(object, picture.HTTPRoute)
  const parents = listAt(live, 'status', 'parents')
  // A cluster may have the definitions and no controller: that is found out by the clock of its caller.
  if (parents.length === 0) return waiting(NO_ANSWER)
  for (const parent of parents)
    for (const type of ['Accepted', 'ResolvedRefs']) {
      const condition = conditionOf({ status: parent }, type)
      if (condition === undefined || !isNewest(condition, live)) return waiting(NO_ANSWER)
      if (textAt(condition, 'status') === 'True') continue
      const gateway = textAt(parent, 'parentRef', 'name') ?? ''
      const said = textAt(condition, 'message') ?? textAt(condition, 'reason') ?? ''
      return refusedBy(`Gateway ${gateway}`, said)
    }
  return ready('accepted')
}

export function gatewayReadiness(object: KubeObject, { picture }: View): Readiness {
  const live = findLive(object, picture.Gateway)
  for (const type of ['Accepted', 'Programmed']) {
    const condition = conditionOf(live, type)
    if (condition === undefined || !isNewest(condition, live)) return waiting(NO_ANSWER)
    const said = textAt(condition, 'message') ?? textAt(condition, 'reason') ?? ''
    const reason = textAt(condition, 'reason') ?? ''
    if (textAt(condition, 'status') === 'True' || reason === 'Pending') continue
    return type === 'Accepted' ? refusedBy('its controller', said) : waiting(said)
  }
  return ready('programmed')
}

/** What is said while no controller has answered. */
export const NO_ANSWER = 'no controller has answered for it yet'

function refusedBy(who: string, said: string): Readiness {
  return failed(
    'route-rejected',
    `${who} does not take it: ${said}`,
    'correct what it refers to, or what the Gateway lets in',
  )
}

function isNewest(condition: unknown, live: unknown): boolean {
  const observed = numberAt(condition, 'observedGeneration')
  const generation = numberAt(live, 'metadata', 'generation')
  return observed === undefined || generation === undefined || observed >= generation
}
