import { parse } from 'yaml'
import { refuse, UserError } from '../errors.ts'
import { isObject, listAt, textAt } from '../json.ts'
import { type Finding, reaches, type Severity } from './findings.ts'

/** A finding that somebody decided to live with, for a reason and until a day. */
export type Ignore = {
  readonly id: string
  readonly reason: string
  readonly owner: string
  /** The last day it holds, `YYYY-MM-DD`. */
  readonly expires: string
}

export type ScanPolicy = {
  /** The mildest severity that fails the gate, or `none`. */
  readonly threshold: Severity | 'none'
  readonly ignores: readonly Ignore[]
}

const DAY = /^\d{4}-\d{2}-\d{2}$/

/** Reads the `ignore` list of a policy file. Every entry needs id, reason, owner and a day that has not passed. */
export function parseIgnores(text: string, file: string, now: Date): readonly Ignore[] {
  const data = parseYaml(text, file)
  const today = now.toISOString().slice(0, 10)
  const problems: string[] = []
  if (!isObject(data)) refuse(file, ['it needs a list "ignore"'])
  for (const key of Object.keys(data))
    if (key !== 'ignore') problems.push(`unknown key "${key}"; only "ignore" is known`)
  const ignores = listAt(data, 'ignore').map((entry, index) => {
    const read = (key: string): string => {
      const value = isObject(entry) ? entry[key] : undefined
      const found = value instanceof Date ? value.toISOString().slice(0, 10) : value
      if (typeof found === 'string' && found !== '') return found
      problems.push(`ignore[${index}] (${textAt(entry, 'id') ?? '?'}) lacks "${key}"`)
      return ''
    }
    const ignore = {
      id: read('id'),
      reason: read('reason'),
      owner: read('owner'),
      expires: read('expires'),
    }
    if (ignore.expires !== '' && !DAY.test(ignore.expires))
      problems.push(`${ignore.id}: "${ignore.expires}" is no day; write it as YYYY-MM-DD`)
    else if (ignore.expires !== '' && ignore.expires < today)
      problems.push(`${ignore.id}: expired on ${ignore.expires}; fix it or decide again`)
    return ignore
  })
  if (problems.length > 0) refuse(file, problems)
  return ignores
}

/** The findings that fail the gate: at or above the threshold, and not ignored. */
export function violations(findings: readonly Finding[], policy: ScanPolicy): readonly Finding[] {
  const { threshold, ignores } = policy
  if (threshold === 'none') return []
  return findings.filter(
    (finding) =>
      reaches(finding.severity, threshold) && !ignores.some((ignore) => ignore.id === finding.id),
  )
}

function parseYaml(text: string, file: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    throw new UserError(`${file} is not valid YAML`, [String(error)], { cause: error })
  }
}
