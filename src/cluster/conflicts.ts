import { canonicalJson, isObject, listAt, textAt } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'
import type { Answer } from './cluster.ts'

/** A field that another manager set to another value. */
export type Conflict = {
  readonly manager: string
  /** Such as `scale`, or empty. */
  readonly subresource: string
  /** As the server names it: `.spec.template.spec.containers[name="web"].image`. */
  readonly field: string
}

const CONFLICT = /conflict with "([^"]+)"(?: with subresource "([^"]+)")?/

/** What stands in the way of an apply, as the server lists it; nothing where it refuses for another reason. */
export function conflictsOf(answer: Answer): readonly Conflict[] {
  if (answer.status !== 409) return []
  return listAt(answer.body, 'details', 'causes').flatMap((cause) => {
    if (textAt(cause, 'reason') !== 'FieldManagerConflict') return []
    const [, manager = '', subresource = ''] = CONFLICT.exec(textAt(cause, 'message') ?? '') ?? []
    return [{ manager, subresource, field: textAt(cause, 'field') ?? '' }]
  })
}

/** `.spec.replicas is 5 by kubectl (scale), the release has 3`; of a Secret no value is named. */
export function describeConflict(
  { manager, subresource, field }: Conflict,
  object: KubeObject,
  live: unknown,
): string {
  const who = subresource === '' ? manager : `${manager} (${subresource})`
  if (object.kind === 'Secret') return `${field} was set by ${who} to another value`
  const show = (value: unknown) => shorten(value === undefined ? 'absent' : canonicalJson(value))
  const now = valueAt(live, field)
  const ours = valueAt(object, field)
  return `${field} is ${show(now)}, set by ${who}; the release has ${show(ours)}`
}

/** The object without these fields. */
export function withoutPaths(object: KubeObject, fields: readonly string[]): KubeObject {
  return fields.reduce((left, field) => drop(left, segmentsOf(field)) as KubeObject, object)
}

type Segment = { readonly text: string; readonly isItem: boolean }

/** The value at a path as the server writes it, or undefined. */
export function valueAt(value: unknown, field: string): unknown {
  const found = step(value, segmentsOf(field))
  return found === undefined ? undefined : found.value
}

/** Names of fields may have dots themselves (labels, annotations): the longest name that is there wins. */
function step(
  value: unknown,
  segments: readonly Segment[],
): { readonly value: unknown } | undefined {
  const [first] = segments
  if (first === undefined) return { value }
  if (first.isItem) {
    const item = itemOf(value, first.text)
    return item === undefined ? undefined : step(item, segments.slice(1))
  }
  if (!isObject(value)) return undefined
  for (const { name, rest } of namesOf(segments)) if (name in value) return step(value[name], rest)
  return undefined
}

function drop(value: unknown, segments: readonly Segment[]): unknown {
  const [first] = segments
  if (first === undefined) return value
  if (first.isItem) {
    const item = itemOf(value, first.text)
    if (!Array.isArray(value) || item === undefined) return value
    const isLast = segments.length === 1
    return value.flatMap((held: unknown) =>
      held !== item ? [held] : isLast ? [] : [drop(held, segments.slice(1))],
    )
  }
  if (!isObject(value)) return value
  const found = namesOf(segments).find(({ name }) => name in value)
  if (found === undefined) return value
  const { [found.name]: held, ...others } = value
  return found.rest.length === 0 ? others : { ...others, [found.name]: drop(held, found.rest) }
}

function namesOf(
  segments: readonly Segment[],
): readonly { readonly name: string; readonly rest: readonly Segment[] }[] {
  const end = segments.findIndex(({ isItem }) => isItem)
  const names = segments.slice(0, end < 0 ? segments.length : end)
  return names
    .map((_name, index) => ({
      name: names
        .slice(0, index + 1)
        .map(({ text }) => text)
        .join('.'),
      rest: segments.slice(index + 1),
    }))
    .reverse()
}

/** `.spec.containers[name="web"].image` → spec, containers, [name="web"], image. */
function segmentsOf(field: string): readonly Segment[] {
  return [...field.matchAll(/\[((?:"(?:[^"\\]|\\.)*"|[^\]"])*)\]|\.?([^.[]+)/g)].map(
    ([, item, name]) =>
      item === undefined ? { text: name ?? '', isItem: false } : { text: item, isItem: true },
  )
}

function itemOf(value: unknown, text: string): unknown {
  if (!Array.isArray(value)) return undefined
  const list: readonly unknown[] = value
  if (/^\d+$/.test(text)) return list[Number(text)]
  if (text.startsWith('=')) return list.find((item) => canonicalJson(item) === text.slice(1))
  const keys = [...text.matchAll(/(\w+)=("(?:[^"\\]|\\.)*"|[^,]+)/g)]
  return list.find((item) =>
    keys.every(([, key = '', wanted]) => isObject(item) && canonicalJson(item[key]) === wanted),
  )
}

const LONGEST = 80

function shorten(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}
