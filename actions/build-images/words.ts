import type { Origin } from '../../src/build/origins.ts'
import { bytes } from '../../src/report/markdown.ts'
import { type FindingCounts, SEVERITIES } from '../../src/scan/findings.ts'
import type { JudgedFinding } from './buildreport.ts'

/** The same finding in several images, with the places where it comes in. */
export type FindingGroup = {
  readonly finding: JudgedFinding
  readonly images: readonly string[]
  readonly origins: readonly Origin[]
}

/** One group for findings that differ by their image only: what is in a base is found in everything that is built on it. */
export function groupFindings(findings: readonly JudgedFinding[]): readonly FindingGroup[] {
  const groups = new Map<string, JudgedFinding[]>()
  for (const finding of findings) {
    const { image: _image, origin: _origin, ...same } = finding
    const key = JSON.stringify(same)
    const known = groups.get(key)
    if (known === undefined) groups.set(key, [finding])
    else known.push(finding)
  }
  return [...groups.values()].flatMap((all) => {
    const [finding] = all
    if (finding === undefined) return []
    const places = all.flatMap(({ origin }) => (origin === null ? [] : [origin]))
    const origins = [...new Map(places.map((one) => [`${one.file}:${one.line}`, one])).values()]
    return [{ finding, images: [...new Set(all.map(({ image }) => image))], origins }]
  })
}

/** Where a package comes in: `docker/backend/Dockerfile:23, FROM python:3.11-slim`. */
export function originInWords({ file, line, instruction, by }: Origin): string {
  const place = `${file}:${line}`
  return by === 'image' ? `${place}, somewhere in this image` : `${place}, ${instruction}`
}

const REASONS: Readonly<Record<string, string>> = {
  threshold: 'at or above the threshold',
  'known-exploited': 'used in attacks, which always stops',
  'below-threshold': 'below the threshold',
  'no-fix': 'there is no fix yet, and the policy asks for fixed ones only',
  'not-new': 'the baseline has it too',
}

/** Why it was decided so. */
export function whyInWords({ decision, why, exception }: JudgedFinding): string {
  const reason = decision === 'stops' || decision === 'passes' ? (REASONS[why] ?? why) : why
  return exception === null ? reason : `${reason} (${exception.owner}, until ${exception.expires})`
}

/** `2 critical, 1 low`, or `none`. */
export function countsInWords(counts: FindingCounts | undefined): string {
  if (counts === undefined) return 'not scanned'
  const found = SEVERITIES.filter((severity) => counts[severity] > 0)
  if (found.length === 0) return 'none'
  return found.map((severity) => `${counts[severity]} ${severity}`).join(', ')
}

/** Fewer bytes are another time stamp, and no change of what is in it. */
const WORTH_SAYING = 1000

/** How a size differs from an earlier one. */
export function changeOf(
  now: number,
  before: number | undefined,
): { readonly text: string; readonly direction: 'up' | 'down' | 'same' } {
  if (before === undefined) return { text: 'no earlier one', direction: 'same' }
  if (Math.abs(now - before) < WORTH_SAYING) return { text: 'no change', direction: 'same' }
  const percent = before === 0 ? '' : ` (${((Math.abs(now - before) / before) * 100).toFixed(1)} %)`
  const amount = `${bytes(Math.abs(now - before))}${percent}`
  return now > before
    ? { text: `▲ +${amount}`, direction: 'up' }
    : { text: `▼ −${amount}`, direction: 'down' }
}
