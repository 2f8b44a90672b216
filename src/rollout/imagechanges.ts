import type { Change } from '../cluster/changes.ts'
import type { EnvironmentState } from '../cluster/state.ts'
import { listAt, textAt } from '../json.ts'
import { keyOf } from '../render/manifest.ts'
import { workloadOf } from './strategies/sets.ts'

/** An image of a workload, before a deploy and as its release has it; null where there was none. */
export type ImageChange = {
  /** Kind and name. */
  readonly workload: string
  readonly container: string
  readonly before: string | null
  readonly after: string
}

const KINDS = ['Deployment', 'StatefulSet', 'DaemonSet']

/** What each container of the workloads ran, by the last good release or else by the cluster, and what it is to run. */
export function imageChanges(prepared: {
  readonly plan: { readonly changes: readonly Change[] }
  readonly state: EnvironmentState | undefined
}): readonly ImageChange[] {
  const good = prepared.state?.good?.inventory ?? []
  const known = new Map(
    good.flatMap(({ object }) => {
      const place = { ...object, metadata: { ...object.metadata, name: workloadOf(object) } }
      return KINDS.includes(object.kind) ? [[keyOf(place), imagesOf(object)] as const] : []
    }),
  )
  return prepared.plan.changes
    .filter(({ object }) => KINDS.includes(object.kind))
    .flatMap(({ object, live }) => {
      const name = workloadOf(object)
      const before =
        known.get(keyOf({ ...object, metadata: { ...object.metadata, name } })) ?? imagesOf(live)
      return [...imagesOf(object)].map(([container, after]) => ({
        ...{ workload: `${object.kind} ${name}`, container },
        ...{ before: before.get(container) ?? null, after },
      }))
    })
}

function imagesOf(workload: unknown): ReadonlyMap<string, string> {
  const pod = ['spec', 'template', 'spec'] as const
  const all = [
    ...listAt(workload, ...pod, 'initContainers'),
    ...listAt(workload, ...pod, 'containers'),
  ]
  return new Map(all.map((one) => [textAt(one, 'name') ?? '', textAt(one, 'image') ?? ''] as const))
}
