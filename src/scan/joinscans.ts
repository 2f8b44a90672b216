import { type Finding, findingKey, worstFirst } from './findings.ts'
import type { Scan } from './scanner.ts'

/**
 * One scan of what was found for each platform of an image. What the first one does not have names the platform that has it, and no
 * layer: layers are told of the first.
 */
export function joinScans(digest: string, scans: readonly [Scan, ...Scan[]]): Scan {
  const [first, ...others] = scans
  const known = new Set(first.findings.map(placeOf))
  const more = others.flatMap(({ sboms, findings }) =>
    findings.flatMap((finding) => {
      if (known.has(placeOf(finding))) return []
      known.add(placeOf(finding))
      return [{ ...finding, platform: sboms[0].platform, layer: '' }]
    }),
  )
  const [sbom, ...rest] = first.sboms
  return {
    ...first,
    digest,
    sboms: [sbom, ...rest, ...others.flatMap(({ sboms }) => sboms)],
    findings: more.length === 0 ? first.findings : worstFirst([...first.findings, ...more]),
    cached: scans.every(({ cached }) => cached),
  }
}

function placeOf(finding: Finding): string {
  return [findingKey(finding), finding.version, finding.location].join(' ')
}
