import { FIELD_MANAGER } from '../../cluster/apply.ts'
import { type Cluster, reasonOf } from '../../cluster/cluster.ts'
import { UserError } from '../../errors.ts'
import { at, isObject, numberAt, textAt } from '../../json.ts'
import { type KubeObject, nameOf } from '../../render/manifest.ts'
import type { Move } from './moves.ts'
import { scales } from './sets.ts'

/**
 * While two sets run, an autoscaler would take the half-empty ones for too many, and its selector may even count the pods of both. So it
 * stays at the old set with bounds that let it do no harm, until the release's own is written, which points at the new set.
 */
export async function holdAutoscalers(
  move: Move,
  objects: readonly KubeObject[],
  bounds: { readonly cluster: Cluster; readonly min: number; readonly max: number | undefined },
): Promise<void> {
  for (const object of objects.filter((found) => scales(found, move.to.metadata.name)))
    await hold(object, move, bounds)
}

async function hold(
  object: KubeObject,
  move: Move,
  bounds: { readonly cluster: Cluster; readonly min: number; readonly max: number | undefined },
): Promise<void> {
  const { cluster, min } = bounds
  const { name, namespace = '' } = object.metadata
  const [group, version] = object.apiVersion.split('/')
  const path = `/apis/${group ?? ''}/${version ?? ''}/namespaces/${namespace}/horizontalpodautoscalers/${name}`
  const live = await cluster.call({ method: 'GET', path })
  // A new one begins its work when it is written, after the shift.
  if (live.status === 404) return
  if (textAt(live.body, 'spec', 'scaleTargetRef', 'name') !== move.from.deployment) return
  const spec = isObject(object['spec']) ? object['spec'] : {}
  const max = bounds.max ?? Math.max(min, numberAt(live.body, 'spec', 'maxReplicas') ?? min)
  const answer = await cluster.call({
    method: 'PATCH',
    path: `${path}?fieldManager=${FIELD_MANAGER}&force=true`,
    contentType: 'application/apply-patch+yaml',
    body: {
      ...object,
      spec: {
        ...spec,
        scaleTargetRef: at(live.body, 'spec', 'scaleTargetRef'),
        minReplicas: min,
        maxReplicas: max,
      },
    },
  })
  if (answer.status >= 300)
    throw new UserError(`${nameOf(object)} can't be held while two sets run: ${reasonOf(answer)}`)
}
