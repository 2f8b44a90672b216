import { counted } from '../../src/counted.ts'
import type { BaseOfImage } from '../../src/build/basefixes.ts'

/** A base image of an image, as the report has it. What is not known is null. */
export type ReportedBase = {
  readonly name: string
  readonly reference: string | null
  readonly created: string | null
  readonly ageDays: number | null
  readonly newer: {
    readonly reference: string
    readonly created: string | null
    readonly fixes: number | null
  } | null
  readonly doubt: string
}

/** One base in words, with the images that are built on it. */
export type BaseRow = {
  readonly name: string
  /** The first digits of its digest, or `?`. */
  readonly digest: string
  readonly images: readonly string[]
  readonly age: string
  readonly newer: string
}

type Reported = Readonly<Record<string, readonly ReportedBase[]>>

const SHOWN_DIGITS = 19

/** The base images of every image for the report. */
export function baseReport(bases: ReadonlyMap<string, readonly BaseOfImage[]>): Reported {
  return Object.fromEntries([...bases].map(([image, all]) => [image, all.map(describeBase)]))
}

function describeBase(base: BaseOfImage): ReportedBase {
  const { name, reference, created, ageDays, newer, doubt } = base
  return {
    name,
    reference: reference ?? null,
    created: created?.toISOString() ?? null,
    ageDays: ageDays ?? null,
    newer:
      newer === undefined
        ? null
        : {
            reference: newer.reference,
            created: newer.created?.toISOString() ?? null,
            fixes: newer.fixes ?? null,
          },
    doubt,
  }
}

/** One row a base, for tables. */
export function baseRows(bases: Reported): readonly BaseRow[] {
  const users = new Map<string, { readonly base: ReportedBase; readonly images: string[] }>()
  for (const [image, all] of Object.entries(bases))
    for (const base of all) {
      const known = users.get(base.name)
      if (known === undefined) users.set(base.name, { base, images: [image] })
      else known.images.push(image)
    }
  return [...users.values()].map(({ base, images }) => ({
    name: base.name.split('@')[0] ?? base.name,
    digest: shortDigest(base.reference),
    images,
    age: base.ageDays === null ? 'it does not say' : daysOf(base.ageDays),
    newer: newerInWords(base, images, bases),
  }))
}

function newerInWords(base: ReportedBase, images: readonly string[], bases: Reported): string {
  const { newer, doubt } = base
  if (newer === null) return doubt || 'none'
  const fixes = images.map((image) => {
    const count = bases[image]?.find(({ name }) => name === base.name)?.newer?.fixes ?? null
    return count === null ? `nobody knows how many in ${image}` : `${count} in ${image}`
  })
  return `${shortDigest(newer.reference)} would fix ${fixes.join(', ')}`
}

function shortDigest(reference: string | null): string {
  return reference?.split('@')[1]?.slice(0, SHOWN_DIGITS) ?? '?'
}

/** `1 day`, `2 days`. */
export function daysOf(count: number): string {
  if (count < 1) return 'less than a day'
  return counted(count, 'day')
}
