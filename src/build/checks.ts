import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { listAt, numberAt, textAt } from '../json.ts'
import { type BakePlan, dockerfileOf } from './bakeplan.ts'

/** What BuildKit's own checks say about a line of a Dockerfile. */
export type DockerfileCheck = {
  /** Path below the folder in which bake was started. */
  readonly file: string
  readonly line: number
  /** What is wrong, beginning with the name of the rule. */
  readonly message: string
  readonly url: string
}

/** Asks buildx to put what the checks found into the metadata of a build. */
export const CHECKS_IN_METADATA = { BUILDX_METADATA_WARNINGS: '1' } as const

/** Reads the checks out of the metadata of a bake. BuildKit names no path, so a Dockerfile is known by its content. */
export async function readChecks(
  metadata: unknown,
  plan: BakePlan,
): Promise<readonly DockerfileCheck[]> {
  const warnings = listAt(metadata, 'buildx.build.warnings')
  if (warnings.length === 0) return []
  const files = new Map<string, string>()
  for (const target of [...plan.parents, ...plan.targets]) {
    const path = dockerfileOf(target, plan.folder)
    const content = path === undefined ? undefined : await readFile(path).catch(() => undefined)
    if (path !== undefined && content !== undefined)
      files.set(content.toString('base64'), relative(plan.folder, path))
  }
  const found = warnings.map((warning) => ({
    file:
      files.get(textAt(warning, 'sourceInfo', 'data') ?? '') ??
      textAt(warning, 'sourceInfo', 'filename') ??
      'Dockerfile',
    line: numberAt(warning, 'range', 0, 'start', 'line') ?? 1,
    message: decode(textAt(warning, 'short')).replace(/ \(line \d+\)$/, ''),
    url: textAt(warning, 'url') ?? '',
  }))
  // A Dockerfile of several targets is checked once for each.
  const distinct = new Map(found.map((one) => [`${one.file}:${one.line}:${one.message}`, one]))
  return [...distinct.values()].sort((a, b) =>
    a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1,
  )
}

function decode(text: string | undefined): string {
  return Buffer.from(text ?? '', 'base64').toString()
}
