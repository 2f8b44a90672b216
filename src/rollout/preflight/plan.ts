import { createHash } from 'node:crypto'
import type { Change } from '../../cluster/changes.ts'
import type { Difference } from '../../cluster/diff.ts'
import { canonicalJson, isObject } from '../../json.ts'
import { type KubeObject, nameOf } from '../../render/manifest.ts'
import type { Mask } from '../evidence/mask.ts'

/** A field that would change, as text; undefined where it is not there. Secret values are masked. */
export type PlannedField = {
  readonly path: string
  readonly before: string | undefined
  readonly after: string | undefined
}

export type PlannedChange = {
  readonly object: string
  readonly action: 'create' | 'update' | 'delete'
  readonly fields: readonly PlannedField[]
  /** Earlier tools whose fields become ours. */
  readonly taken: readonly string[]
}

/** What a deploy would do, and a hash of all of it. */
export type Plan = { readonly hash: string; readonly changes: readonly PlannedChange[] }

const HIDDEN = '***'
/** A copy of the whole object that `kubectl apply` kept in itself: its difference says nothing that the others do not. */
const LAST_APPLIED = /last-applied-configuration$/
const LONGEST_VALUE = 160
const LONGEST_HUNK = 20
const MOST_LINES = 400

/**
 * What would change, readable and without secrets, and its hash. The hash covers the release, every rendered object and every change,
 * with values; of Secrets it covers which keys change and never their values, so that it can be shown to anybody. Equal
 * hashes: the same would be done. What controllers do in between (status, numbers of replicas of an autoscaler) is no part of it.
 */
export function makePlan(
  what: {
    readonly release: string
    readonly changes: readonly Change[]
    readonly remove: readonly KubeObject[]
  },
  mask: Mask,
): Plan {
  const planned = what.changes.flatMap((change): PlannedChange[] => {
    if (change.action === 'unchanged') return []
    return [
      {
        object: nameOf(change.object),
        action: change.action,
        fields: fieldsOf(change, mask),
        taken: change.taken ?? [],
      },
    ]
  })
  const removed = what.remove.map((object): PlannedChange => {
    return { object: nameOf(object), action: 'delete', fields: [], taken: [] }
  })
  const changes = [...planned, ...removed]
  const objects = what.changes.map(({ object }) => withoutValues(object))
  const all = canonicalJson({ release: what.release, objects, changes })
  return { hash: `sha256:${createHash('sha256').update(all).digest('hex')}`, changes }
}

/** The plan line by line: objects with `+`, `~` or `-`, and below them each field with what it is and what it would be. */
export function planLines({ changes }: Plan): readonly string[] {
  const lines = changes.flatMap(({ object, action, fields, taken }) => [
    `${SIGNS[action]} ${object}${taken.length === 0 ? '' : ` (taken over from ${taken.join(', ')})`}`,
    ...fields.flatMap(fieldLines),
  ])
  if (lines.length <= MOST_LINES) return lines
  return [...lines.slice(0, MOST_LINES), `… and ${lines.length - MOST_LINES} lines more`]
}

const SIGNS = { create: '+', update: '~', delete: '-' } as const

function fieldLines({ path, before, after }: PlannedField): readonly string[] {
  if (before === undefined && after === undefined) return [`    ${path}`]
  const isText = [before, after].some((value) => value?.includes('\n') === true)
  if (isText) return [`    ${path}:`, ...hunk(before ?? '', after ?? '')]
  if (before === undefined) return [`    + ${path}: ${shorten(after ?? '')}`]
  if (after === undefined) return [`    - ${path}: ${shorten(before)}`]
  if (before === after) return [`    ${path}: changed`]
  return [`    ${path}: ${shorten(before)} → ${shorten(after)}`]
}

/** The lines that differ, without those in front and behind that are the same. */
function hunk(before: string, after: string): readonly string[] {
  const [old, now] = [before.split('\n'), after.split('\n')]
  const start = old.findIndex((line, index) => line !== now[index])
  const from = start < 0 ? old.length : start
  let end = 0
  while (end < Math.min(old.length, now.length) - from && old.at(-1 - end) === now.at(-1 - end))
    end += 1
  const lines = [
    ...old.slice(from, old.length - end).map((line) => `      - ${shorten(line)}`),
    ...now.slice(from, now.length - end).map((line) => `      + ${shorten(line)}`),
  ]
  if (lines.length <= LONGEST_HUNK) return lines
  return [...lines.slice(0, LONGEST_HUNK), `      … and ${lines.length - LONGEST_HUNK} lines more`]
}

function fieldsOf({ object, fields, differences }: Change, mask: Mask): readonly PlannedField[] {
  if (differences === undefined)
    return fields.map((path) => ({ path, before: undefined, after: undefined }))
  return differences.map((difference) => plannedField(object, difference, mask))
}

function plannedField(object: KubeObject, found: Difference, mask: Mask): PlannedField {
  const { path } = found
  const isSecret = object.kind === 'Secret' && /^\.(data|stringData)\b/.test(path)
  const show = (value: unknown) => {
    if (value === undefined) return undefined
    if (isSecret || LAST_APPLIED.test(path)) return HIDDEN
    return mask(typeof value === 'string' && value.includes('\n') ? value : canonicalJson(value))
  }
  return { path, before: show(found.before), after: show(found.after) }
}

/** Which keys a Secret has is no secret; what they hold is in no hash either, since it might be guessed from one. */
function withoutValues(object: KubeObject): unknown {
  if (object.kind !== 'Secret') return object
  const hide = (data: unknown) =>
    isObject(data)
      ? Object.fromEntries(Object.keys(data).map((key) => [key, HIDDEN] as const))
      : undefined
  return { ...object, data: hide(object['data']), stringData: hide(object['stringData']) }
}

function shorten(text: string): string {
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text
}
