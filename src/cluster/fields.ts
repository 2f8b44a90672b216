import { canonicalJson, isObject } from '../json.ts'

/** A node of `fieldsV1`: `f:name`, `k:{keys}` of a list's item, `v:value` of a set's element; `.` is the node itself. */
export type FieldTree = { readonly [key: string]: FieldTree }

/** The fields that any of the trees has. */
export function uniteFields(trees: readonly FieldTree[]): FieldTree {
  const keys = [...new Set(trees.flatMap((tree) => Object.keys(tree)))].sort()
  return Object.fromEntries(
    keys.map((key) => [key, uniteFields(trees.flatMap((tree) => tree[key] ?? []))]),
  )
}

export function hasField(tree: FieldTree, path: readonly string[]): boolean {
  const [first, ...rest] = path
  if (first === undefined) return true
  const next = tree[`f:${first}`]
  return next !== undefined && hasField(next, rest)
}

export type Removal = {
  /** What is given up. */
  readonly fields: FieldTree
  /** What others own as well, which stays. */
  readonly others: FieldTree
  /** What is applied, which stays too. */
  readonly wanted: unknown
}

/** The value without those given-up fields that nobody wants: what a server-side apply leaves after their owner was taken over. */
export function withoutFields(value: unknown, removal: Removal): unknown {
  if (Array.isArray(value)) return listWithout(value, removal)
  if (!isObject(value)) return value
  const left = Object.entries(value).flatMap(([key, held]): [string, unknown][] => {
    const below = fieldsBelow(`f:${key}`, removal)
    if (below === undefined) return [[key, held]]
    const wanted = isObject(removal.wanted) ? removal.wanted[key] : undefined
    if (wanted === undefined && below.others === undefined) return []
    const deeper = { fields: below.fields, others: below.others ?? {}, wanted }
    return [[key, withoutFields(held, deeper)]]
  })
  return Object.fromEntries(left)
}

function listWithout(list: readonly unknown[], removal: Removal): readonly unknown[] {
  const wantedItems: readonly unknown[] = Array.isArray(removal.wanted) ? removal.wanted : []
  return list.flatMap((item) => {
    const key = Object.keys(removal.fields).find((name) => isItem(name, item))
    const below = key === undefined ? undefined : fieldsBelow(key, removal)
    if (key === undefined || below === undefined) return [item]
    const wanted = wantedItems.find((candidate) => isItem(key, candidate))
    if (wanted === undefined && below.others === undefined) return []
    return [withoutFields(item, { fields: below.fields, others: below.others ?? {}, wanted })]
  })
}

function fieldsBelow(
  key: string,
  { fields, others }: Removal,
): { readonly fields: FieldTree; readonly others: FieldTree | undefined } | undefined {
  const own = fields[key]
  return own === undefined ? undefined : { fields: own, others: others[key] }
}

/** Whether `k:{"name":"web"}` or `v:"value"` speaks of this item of a list. */
function isItem(key: string, item: unknown): boolean {
  const text = key.slice(2)
  if (key.startsWith('v:')) return canonicalJson(parse(text)) === canonicalJson(item)
  if (!key.startsWith('k:') || !isObject(item)) return false
  const keys = parse(text)
  return isObject(keys) && Object.entries(keys).every(([name, value]) => item[name] === value)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // No key that the server writes: it matches nothing.
  }
}
