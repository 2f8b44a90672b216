import { at, listAt, textAt } from '../json.ts'
import { type KubeObject, podSpecOf } from './manifest.ts'

/** A Secret that pods can't start without, and the keys of it that they name. */
export type Need = { readonly secret: string; readonly keys: readonly string[] }

/** What the pods of a workload read of Secrets, by mount or by variable. What they can do without is left out. */
export function needsOf(object: KubeObject): readonly Need[] {
  const spec = podSpecOf(object)
  const containers = ['initContainers', 'containers'].flatMap((key) => listAt(spec, key))
  return [
    ...listAt(spec, 'volumes').flatMap((volume) => [
      ...needOf(at(volume, 'secret'), 'secretName', listAt(volume, 'secret', 'items')),
      ...listAt(volume, 'projected', 'sources').flatMap((source) =>
        needOf(at(source, 'secret'), 'name', listAt(source, 'secret', 'items')),
      ),
    ]),
    ...containers.flatMap((container) => [
      ...listAt(container, 'envFrom').flatMap((from) => needOf(at(from, 'secretRef'), 'name', [])),
      ...listAt(container, 'env').flatMap((variable) => {
        const ref = at(variable, 'valueFrom', 'secretKeyRef')
        return needOf(ref, 'name', [ref])
      }),
    ]),
  ]
}

function needOf(ref: unknown, field: 'name' | 'secretName', items: readonly unknown[]): Need[] {
  const secret = textAt(ref, field)
  if (secret === undefined || at(ref, 'optional') === true) return []
  return [{ secret, keys: items.flatMap((item) => textAt(item, 'key') ?? []) }]
}
