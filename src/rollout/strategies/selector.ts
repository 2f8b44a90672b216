import { FIELD_MANAGER } from '../../cluster/apply.ts'
import { type Cluster, reasonOf } from '../../cluster/cluster.ts'
import { UserError } from '../../errors.ts'
import { textAt } from '../../json.ts'
import { type KubeObject, nameOf } from '../../render/manifest.ts'
import { describeLabels, isSame, type Labels } from './labels.ts'
import { selectorOf } from './sets.ts'

/** Other writers of a Service, such as a load balancer's controller, make a write come too late: so often it is tried. */
const ATTEMPTS = 5

export type Swap = {
  readonly service: KubeObject
  /** What the selector may be now; anything else was somebody's own doing, and nothing is written. */
  readonly expected: readonly Labels[]
  readonly selector: Labels
}

/**
 * Compare and swap of a live selector: read, compared, and written only if nobody has written the Service since. It is a server-side
 * apply that names the version it has seen, and not a JSON patch with `test`: a patch would take the selector from the field manager of
 * all other writes, and the next apply would be a conflict. Returns false where it was so already.
 */
export async function swapSelector(swap: Swap, cluster: Cluster): Promise<boolean> {
  const { service, expected, selector } = swap
  const { name, namespace = '' } = service.metadata
  const path = `/api/v1/namespaces/${namespace}/services/${name}`
  for (let tried = 1; ; tried += 1) {
    const live = await cluster.call({ method: 'GET', path })
    if (live.status !== 200)
      throw new UserError(`${nameOf(service)} can't be read: ${reasonOf(live)}`)
    const now = selectorOf(live.body)
    if (isSame(now, selector)) return false
    if (!expected.some((one) => isSame(now, one)))
      throw new UserError(
        `Somebody has changed the selector of ${nameOf(service)} meanwhile, to ${describeLabels(now)}; requests were left where they go. Deploy again when it is settled`,
      )
    const resourceVersion = textAt(live.body, 'metadata', 'resourceVersion')
    const answer = await cluster.call({
      method: 'PATCH',
      // Forced: an earlier owner of the selector, such as "kubectl apply", was overruled when the release was planned.
      path: `${path}?fieldManager=${FIELD_MANAGER}&force=true`,
      contentType: 'application/apply-patch+yaml',
      body: withSelector(
        { ...service, metadata: { ...service.metadata, resourceVersion } },
        selector,
      ),
    })
    if (answer.status < 300) return true
    if (answer.status !== 409 || tried === ATTEMPTS)
      throw new UserError(
        `The selector of ${nameOf(service)} can't be written: ${reasonOf(answer)}`,
      )
  }
}

export function withSelector(service: KubeObject, selector: Labels): KubeObject {
  const spec = service['spec']
  return { ...service, spec: { ...(spec as object), selector } }
}
