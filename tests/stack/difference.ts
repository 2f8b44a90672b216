import { isObject } from '../../src/json.ts'
import { type KubeObject, keyOf, nameOf } from '../../src/render/manifest.ts'

/** Objects and what people call the place they come from. */
export type Side = { readonly name: string; readonly objects: readonly KubeObject[] }

/** One line for each value in which two sets of objects differ; empty where they are the same. */
export function differences(left: Side, right: Side): readonly string[] {
  const [ours, theirs] = [left, right].map(
    ({ objects }) => new Map(objects.map((object) => [keyOf(object), object])),
  )
  const keys = [...new Set([...(ours?.keys() ?? []), ...(theirs?.keys() ?? [])])].toSorted()
  return keys.flatMap((key) => {
    const [mine, other] = [ours?.get(key), theirs?.get(key)]
    if (mine === undefined) return [`${nameOf(other as KubeObject)}: only in ${right.name}`]
    if (other === undefined) return [`${nameOf(mine)}: only in ${left.name}`]
    return compare({ path: '', left: mine, right: other }).map(
      ({ path, left: here, right: there }) =>
        `${nameOf(mine)} ${path}: ${left.name} ${show(here)}, ${right.name} ${show(there)}`,
    )
  })
}

type Pair = { readonly path: string; readonly left: unknown; readonly right: unknown }

function compare({ path, left, right }: Pair): readonly Pair[] {
  if (Array.isArray(left) && Array.isArray(right)) {
    const longer = left.length > right.length ? left : right
    return longer.flatMap((_, index) =>
      compare({
        path: `${path}[${index}]`,
        left: left[index] as unknown,
        right: right[index] as unknown,
      }),
    )
  }
  if (isObject(left) && isObject(right)) {
    const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])].toSorted()
    return keys.flatMap((key) =>
      compare({ path: `${path}.${key}`, left: left[key], right: right[key] }),
    )
  }
  return left === right ? [] : [{ path, left, right }]
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}
