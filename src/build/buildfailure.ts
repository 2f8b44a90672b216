import { relative } from 'node:path'
import { UserError } from '../errors.ts'
import { hideUserinfo } from '../userinfo.ts'
import { type BakePlan, dockerfileOf } from './bakeplan.ts'

/** What buildx says when it is the builder that is at fault, and what to do about it. */
const BUILDER_FAULTS: readonly (readonly [RegExp, (found: string) => string])[] = [
  [
    /no builder "([^"]*)" found/,
    (name) => `There is no builder "${name}"; "docker buildx ls" shows those there are`,
  ],
  [
    /code = Unavailable|transport is closing|error reading from server|use of closed network connection/,
    () =>
      'The builder went away in the middle of the build; look whether it runs with "docker buildx inspect", and run again',
  ],
  [
    /exporter is not supported for the docker driver/i,
    () =>
      'The builder can not write OCI layouts; use one with the docker-container driver ("docker buildx create --use")',
  ],
  [
    /failed to connect to the docker API|Cannot connect to the Docker daemon/,
    () =>
      "The builder can't be reached: no Docker engine answers; start it, or name another builder",
  ],
]

/** The cause of a failed build in one line: which image and step, and why; then the last words of what failed. */
export function explainBuild(
  stderr: string,
  plan: Pick<BakePlan, 'folder' | 'targets'>,
): UserError {
  const lines = hideUserinfo(stderr).split('\n')
  const summary = lines.findLast((line) => line.startsWith('ERROR:')) ?? ''
  for (const [words, explain] of BUILDER_FAULTS) {
    const found = words.exec(summary)
    if (found !== null) return new UserError(explain(found[1] ?? ''), [summary])
  }
  // BuildKit names the target only where there are several.
  const [only, ...more] = plan.targets
  const name = /target (\S+): /.exec(summary)?.[1] ?? (more.length === 0 ? only?.name : undefined)
  const target = plan.targets.find((one) => one.name === name)
  const [, written, line] =
    lines.map((one) => /^(\S*Dockerfile):(\d+)$/.exec(one.trim())).find((one) => one !== null) ?? []
  const cause = summary.replace(
    /^ERROR: (?:target \S+: )?(?:failed to build: )?(?:failed to solve: )?/,
    '',
  )
  const file = target === undefined ? undefined : dockerfileOf(target, plan.folder)
  const place =
    file === undefined || line === undefined
      ? undefined
      : { file: relative(plan.folder, file), line: Number(line) }
  const who = name === undefined ? 'An image' : `The image ${name}`
  const where = line === undefined ? '' : ` at ${place?.file ?? written ?? ''}:${line}`
  return new UserError(
    `${who} did not build${where}: ${cause || 'see below'}`,
    failureBlock(lines),
    { place },
  )
}

/** BuildKit prints the failed step's output between two lines of six dashes; the longer ones frame a piece of the Dockerfile. */
function failureBlock(lines: readonly string[]): string[] {
  const end = lines.findLastIndex((line) => /^-{6}$/.test(line))
  if (end < 0) return lines.slice(-20)
  const start = lines.slice(0, end).findLastIndex((line) => /^ > |^-{6}$/.test(line))
  return lines.slice(Math.max(start, end - 30), end).filter((line) => line.trim() !== '')
}
