import type { Origin } from '../../src/build/origins.ts'
import type { Annotation } from '../../src/edge/command.ts'
import type { BuildReport, JudgedFinding } from './buildreport.ts'

/** So many findings are named in one annotation; the summary has all of them. */
const MOST_NAMED = 8

/** One annotation for each line by which findings come in that stop the release, those with the worst finding first. */
export function annotationsOf({ judged }: BuildReport): readonly Annotation[] {
  const places = new Map<string, { readonly origin: Origin; readonly found: JudgedFinding[] }>()
  for (const finding of judged) {
    const { decision, origin } = finding
    if (decision !== 'stops' || origin === null) continue
    const key = `${origin.file}:${origin.line}:${origin.by}`
    const known = places.get(key)
    if (known === undefined) places.set(key, { origin, found: [finding] })
    else known.found.push(finding)
  }
  return [...places.values()].map(({ origin, found }) => ({
    title:
      found.length === 1
        ? 'A finding stops the release'
        : `${found.length} findings stop the release`,
    message: messageOf(origin, found),
    place: { file: origin.file, line: origin.line },
  }))
}

const BY: Readonly<Record<Origin['by'], string>> = {
  base: 'The image that is named here has',
  step: 'This step brings in',
  image: 'Somewhere in the image that begins here is',
}

function messageOf(origin: Origin, found: readonly JudgedFinding[]): string {
  const lines = found
    .slice(0, MOST_NAMED)
    .map(({ image, id, severity, version, fixedIn, ...one }) => {
      const remedy = fixedIn.length === 0 ? 'no fix yet' : `fixed in ${fixedIn.join(', ')}`
      return `${image}: ${severity} ${id} in ${one.package} ${version} (${remedy})`
    })
  const left = found.length - lines.length
  const more = left > 0 ? [`… and ${left} more: see the summary`] : []
  return [`${BY[origin.by]}:`, ...lines, ...more].join('\n')
}
