import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseYaml } from '../src/yaml.ts'
import { findLab, type Lab } from '../lab/lab.ts'
import { isObject, textAt } from '../src/json.ts'
import type { Command } from './measure.ts'
import { IMAGES, type Workplace } from './workplace.ts'

/** What both sides are given. */
export type Setting = {
  readonly lab: Lab
  readonly workplace: Workplace
  readonly builder: string
  readonly tools: Readonly<Record<'buildx' | 'grype' | 'syft', string>>
}

const ACTION = 'actions/build-images'
/** Any commit: a release names one. */
const COMMIT = '0'.repeat(40)

/**
 * The action as GitHub's runner starts it on a machine that has just been made: the bundle, its inputs, files for what it says, and
 * nothing kept from an earlier run.
 */
export async function ourCommand(
  { lab, workplace, builder }: Setting,
  inputs: Readonly<Record<string, string>>,
): Promise<Command> {
  const action: unknown = parseYaml(await readFile(`${ACTION}/action.yml`, 'utf8'))
  const declared = isObject(action) && isObject(action['inputs']) ? action['inputs'] : {}
  const given: Readonly<Record<string, string>> = {
    registry: placeOf(lab, 'ours'),
    builder,
    targets: IMAGES.join(','),
    'vulnerability-db': lab.vulnerabilityDatabase,
    signing: 'key',
    ...inputs,
  }
  const values = Object.entries(declared).map(([name, input]): [string, string] => [
    `INPUT_${name.toUpperCase()}`,
    given[name] ?? textAt(input, 'default') ?? '',
  ])
  const runner = await workplace.empty('runner')
  const files = { output: join(runner, 'output'), summary: join(runner, 'summary') }
  for (const file of Object.values(files)) await writeFile(file, '')
  return {
    argv: [process.execPath, resolve(ACTION, textAt(action, 'runs', 'main') ?? '')],
    cwd: workplace.folder,
    useful: /^::group::Read the bake file$/m,
    report: join(runner, 'todo-deploy', 'build-images', 'report.json'),
    env: {
      ...baseEnvironment(lab),
      ...Object.fromEntries(values),
      TODO_DEPLOY_CACHE: await workplace.empty('cache'),
      RUNNER_TEMP: runner,
      GITHUB_OUTPUT: files.output,
      GITHUB_STEP_SUMMARY: files.summary,
      GITHUB_EVENT_NAME: 'push',
      GITHUB_REF: 'refs/heads/main',
      GITHUB_REF_TYPE: 'branch',
      GITHUB_REF_NAME: 'main',
      GITHUB_SHA: COMMIT,
    },
  }
}

/** What people do without us: one bake with a registry cache for each image, then grype over each image that was pushed. */
export function peerCommands({ lab, workplace, builder, tools }: Setting): readonly Command[] {
  const place = placeOf(lab, 'peer')
  const env = { ...baseEnvironment(lab), ...grypeEnvironment(lab) }
  const set = (image: string, key: string, value: string) => ['--set', `${image}.${key}=${value}`]
  const flags = IMAGES.flatMap((image) => {
    const cache = `type=registry,ref=${place}/cache:${image}`
    const packed = 'compression-level=4'
    const form = `mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true,${packed}`
    return [
      ...set(image, 'tags', `${place}/${image}:latest`),
      ...set(image, 'output', `type=registry,${packed}`),
      ...set(image, 'cache-from', cache),
      ...set(image, 'cache-to', `${cache},${form}`),
    ]
  })
  const bake: Command = {
    argv: [
      ...([tools.buildx, 'bake', '--progress=plain', '--builder', builder] as const),
      ...flags,
      ...IMAGES,
    ],
    cwd: workplace.folder,
    env,
  }
  const scans = IMAGES.map((image): Command => ({
    argv: [tools.grype, `registry:${place}/${image}:latest`, '-q', '-o', 'json'],
    cwd: workplace.folder,
    env,
  }))
  return [bake, ...scans]
}

/** The repository below which a side publishes. */
export function placeOf(lab: Lab, side: string): string {
  return `${lab.registry}/bench/${side}`
}

/** The vulnerability data that both sides ask, warm. */
export function grypeEnvironment(lab: Lab): Readonly<Record<string, string>> {
  return {
    GRYPE_DB_CACHE_DIR: lab.vulnerabilityDatabase,
    GRYPE_DB_AUTO_UPDATE: 'false',
    GRYPE_DB_VALIDATE_AGE: 'false',
    GRYPE_CHECK_FOR_APP_UPDATE: 'false',
  }
}

/** What a runner's step has in its environment, and what finds engine, builder and programs. */
export function baseEnvironment(lab: Lab): Readonly<Record<string, string>> {
  const { PATH = '', HOME = '' } = process.env
  return { PATH, HOME, ...(findLab() ?? lab).environment }
}
