import { canonicalJson, isObject, textAt } from '../json.ts'

/** A field that differs: undefined where it is not there. */
export type Difference = {
  /** Dotted, items of lists by their name: `.spec.template.spec.containers[web].image`. */
  readonly path: string
  readonly before: unknown
  readonly after: unknown
}

/** Fields the server writes for itself: they differ without any change of ours. */
const SERVER_FIELDS = ['managedFields', 'resourceVersion', 'generation', 'creationTimestamp', 'uid']

/** What differs between two states of one object, as far as anybody has asked for it: status and the server's own fields left out. */
export function differencesOf(before: unknown, after: unknown): readonly Difference[] {
  return compare(comparable(before), comparable(after), '').toSorted((a, b) =>
    a.path < b.path ? -1 : 1,
  )
}

function comparable(object: unknown): unknown {
  if (!isObject(object)) return object
  const { status: _status, ...rest } = object
  const metadata = isObject(rest['metadata']) ? rest['metadata'] : {}
  const kept = Object.entries(metadata).filter(([key]) => !SERVER_FIELDS.includes(key))
  return { ...rest, metadata: Object.fromEntries(kept) }
}

function compare(before: unknown, after: unknown, path: string): readonly Difference[] {
  if (canonicalJson(before) === canonicalJson(after)) return []
  // A map that comes or goes is shown by its entries; an item of a list as a whole.
  const isMap = !path.endsWith(']') && [before, after].some((one) => isObject(one))
  const empty = isMap ? {} : undefined
  const left = partsOf(before ?? empty)
  const right = partsOf(after ?? empty)
  if (left === undefined || right === undefined || left.isList !== right.isList)
    return [{ path, before, after }]
  const keys = new Set([...left.parts.keys(), ...right.parts.keys()])
  const below = [...keys].flatMap((key) =>
    compare(
      left.parts.get(key),
      right.parts.get(key),
      left.isList ? `${path}[${key}]` : `${path}.${key}`,
    ),
  )
  // The same items in another order.
  return below.length === 0 ? [{ path, before, after }] : below
}

function partsOf(
  value: unknown,
): { readonly isList: boolean; readonly parts: ReadonlyMap<string, unknown> } | undefined {
  if (isObject(value)) return { isList: false, parts: new Map(Object.entries(value)) }
  if (!Array.isArray(value)) return undefined
  const names = value.map((item: unknown) => textAt(item, 'name'))
  const isNamed = names.every((name) => name !== undefined) && new Set(names).size === names.length
  const parts = value.map((item: unknown, index): [string, unknown] => [
    isNamed ? (names[index] ?? '') : String(index),
    item,
  ])
  return { isList: true, parts: new Map(parts) }
}
