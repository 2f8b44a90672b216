import { messageOf, refuse } from '../errors.ts'
import { parseYaml } from '../yaml.ts'
import type { Severity } from './findings.ts'
import { faultsOfPolicy } from './policycheck.ts'

/** A finding that somebody decided to live with, for a reason and until a day. */
export type Ignore = {
  readonly id: string
  readonly images?: readonly string[]
  readonly packages?: readonly string[]
  readonly reason: string
  readonly owner: string
  /** The last day it holds, `YYYY-MM-DD`. */
  readonly expires: string
}

export type Limits = { readonly threshold: Severity | 'none'; readonly onlyFixed: boolean }

/** Which findings stop a release. Data only: `judge` is the one place that decides. */
export type ScanPolicy = Limits & {
  /** Only what the baseline release does not have stops. */
  readonly onlyNew: boolean
  /** Image name → what differs for it. */
  readonly images: Readonly<Record<string, Partial<Limits>>>
  readonly ignores: readonly Ignore[]
  /** Paths of OpenVEX documents, relative to the policy. */
  readonly vex: readonly string[]
  readonly database: { readonly maxAgeDays: number; readonly whenStale: 'fail' | 'warn' }
}

type Raw = {
  readonly threshold?: Severity | 'none'
  readonly 'only-fixed'?: boolean
  readonly 'only-new'?: boolean
  readonly images?: Readonly<
    Record<string, { readonly threshold?: Severity | 'none'; readonly 'only-fixed'?: boolean }>
  >
  readonly ignore?: readonly Ignore[]
  readonly vex?: readonly string[]
  readonly database?: { readonly 'max-age-days'?: number; readonly 'when-stale'?: 'fail' | 'warn' }
}

/** What holds where no policy says otherwise. grype itself takes a database of more than five days for stale. */
export const defaultPolicy: ScanPolicy = {
  threshold: 'high',
  onlyFixed: false,
  onlyNew: false,
  images: {},
  ignores: [],
  vex: [],
  database: { maxAgeDays: 5, whenStale: 'fail' },
}

/** Reads a policy. Throws `UserError` with all of its faults: unknown keys, wrong values, ignores that have expired. */
export function parsePolicy(text: string, file: string, now: Date): ScanPolicy {
  const data = parseFile(text, file)
  const faults = faultsOfPolicy(data).map(describeFault)
  const raw: Raw = faults.length === 0 ? (data as Raw) : {}
  const ignores = raw.ignore ?? []
  const today = now.toISOString().slice(0, 10)
  const expired = ignores
    .filter(({ expires }) => expires < today || Number.isNaN(Date.parse(expires)))
    .map(({ id, expires, owner }) =>
      Number.isNaN(Date.parse(expires))
        ? `${id}: "${expires}" is no day`
        : `${id}: expired on ${expires}; fix it, or let ${owner} decide again`,
    )
  if (faults.length + expired.length > 0) refuse(file, [...faults, ...expired])
  return fromRaw(raw)
}

function parseFile(text: string, file: string): unknown {
  try {
    return parseYaml(text) ?? {}
  } catch (error) {
    return refuse(file, [`not valid YAML: ${messageOf(error)}`])
  }
}

function fromRaw(raw: Raw): ScanPolicy {
  const images = Object.entries(raw.images ?? {}).map(([name, own]): [string, Partial<Limits>] => [
    name,
    {
      ...(own.threshold === undefined ? {} : { threshold: own.threshold }),
      ...(own['only-fixed'] === undefined ? {} : { onlyFixed: own['only-fixed'] }),
    },
  ])
  return {
    threshold: raw.threshold ?? defaultPolicy.threshold,
    onlyFixed: raw['only-fixed'] ?? defaultPolicy.onlyFixed,
    onlyNew: raw['only-new'] ?? defaultPolicy.onlyNew,
    images: Object.fromEntries(images),
    ignores: raw.ignore ?? [],
    vex: raw.vex ?? [],
    database: {
      maxAgeDays: raw.database?.['max-age-days'] ?? defaultPolicy.database.maxAgeDays,
      whenStale: raw.database?.['when-stale'] ?? defaultPolicy.database.whenStale,
    },
  }
}

function describeFault(fault: {
  readonly instancePath: string
  readonly message?: string
  readonly params: Readonly<Record<string, unknown>>
}): string {
  const { instancePath, message = '', params } = fault
  const extra = params['additionalProperty'] ?? params['allowedValues']
  return `${instancePath === '' ? 'the policy' : instancePath} ${message}${extra === undefined ? '' : ` (${JSON.stringify(extra)})`}`
}
