import { isAbsolute, join, resolve } from 'node:path'
import { refuse, UserError } from '../errors.ts'
import { at, isObject, listAt, parseJson, textAt } from '../json.ts'
import { parseReference } from '../registry/reference.ts'
import { hideUserinfo } from '../userinfo.ts'
import type { World } from '../world.ts'
import { secretArguments } from './secretarguments.ts'

/** One image to build, as `bake --print` resolved it. */
export type BakeTarget = {
  readonly name: string
  readonly context: string
  readonly dockerfile: string
  /** Named contexts: a folder, `target:…`, `docker-image://…` or an address. */
  readonly contexts: Readonly<Record<string, string>>
  readonly args: Readonly<Record<string, string>>
  /** All that bake said about it. */
  readonly resolved: Readonly<Record<string, unknown>>
}

export type BakePlan = {
  readonly file: string
  readonly folder: string
  /** What was asked for: these become images. */
  readonly targets: readonly BakeTarget[]
  /** Targets that only stand as contexts of others. */
  readonly parents: readonly BakeTarget[]
}

const PRINT_TIMEOUT_S = 60
/**
 * The time of an image, and of every file in a reproducible one, unless SOURCE_DATE_EPOCH says another: 1980-01-01, the first day that
 * every kind of archive can write. A fixed one, because with the time of the commit each commit would make new images of what it did not change.
 */
const SOURCE_DATE_EPOCH = '315532800'

/** Resolves the bake file. Unknown targets, broken files and secrets in build arguments are refused here. */
export async function readBakePlan(
  options: { readonly file: string; readonly folder: string; readonly targets: readonly string[] },
  world: World,
): Promise<BakePlan> {
  const buildx = await world.tools('buildx')
  const { file, folder } = options
  const wanted = options.targets.length === 0 ? ['default'] : options.targets
  const result = await world.run(
    {
      argv: [buildx, 'bake', '--file', file, '--print', ...wanted],
      cwd: folder,
      timeoutSeconds: PRINT_TIMEOUT_S,
    },
    world.signal,
  )
  if (result.status !== 0) throw explain(result.stderr, options)
  const plan = parseJson(result.stdout, 'the answer of bake --print')
  const found = at(plan, 'target')
  const targets = isObject(found) ? Object.entries(found) : []
  const leaked = targets.flatMap(([name, target]) => secretArguments(name, target, process.env))
  if (leaked.length > 0)
    throw new UserError(
      `Build arguments are visible in the image: pass these as build secrets instead`,
      leaked,
    )
  const all = targets.map(([name, target]) => describeTarget(name, target))
  const asked = members('default', plan, all)
  const isAsked = ({ name }: BakeTarget) => asked.length === 0 || asked.includes(name)
  return { file, folder, targets: all.filter(isAsked), parents: all.filter((one) => !isAsked(one)) }
}

/** What the names below `<registry>/` are taken for. */
const TAKEN: Readonly<Record<string, string>> = { release: 'the releases', cache: 'kept layers' }

/** Throws `UserError` where a target can't give its image a name in the registry. */
export function requireImageNames(plan: BakePlan, registry: string): void {
  const problems = plan.targets.flatMap(({ name }) => {
    if (TAKEN[name] !== undefined) return [`${registry}/${name} is for ${TAKEN[name]}`]
    try {
      parseReference(`${registry}/${name}`)
      return []
    } catch (error) {
      if (error instanceof UserError) return [error.message]
      throw error
    }
  })
  if (problems.length > 0)
    refuse("The targets can't all be images: rename them in the bake file", problems)
}

function describeTarget(name: string, target: unknown): BakeTarget {
  return {
    name,
    context: textAt(target, 'context') ?? '.',
    dockerfile: textAt(target, 'dockerfile') ?? 'Dockerfile',
    contexts: textsOf(at(target, 'contexts')),
    args: { SOURCE_DATE_EPOCH, ...textsOf(at(target, 'args')) },
    resolved: isObject(target) ? target : {},
  }
}

/** The targets of a group and of the groups in it; bake's answer puts what was asked for into the group `default`. */
function members(name: string, plan: unknown, targets: readonly BakeTarget[]): readonly string[] {
  return listAt(plan, 'group', name, 'targets').flatMap((member) => {
    const found = String(member)
    const isTarget = targets.some((target) => target.name === found)
    return isTarget || found === name ? [found] : members(found, plan, targets)
  })
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) return {}
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]))
}

function explain(stderr: string, options: { readonly file: string }): UserError {
  const lines = hideUserinfo(stderr).trim().split('\n')
  const error = lines.findLast((line) => line.includes('ERROR')) ?? lines.at(-1) ?? ''
  return new UserError(
    `The bake file ${options.file} can't be used: ${error.replace(/^ERROR:\s*/, '')}`,
    lines.slice(-12),
  )
}

/** Where the Dockerfile of a target is on this machine; undefined for one that is not. */
export function dockerfileOf(target: BakeTarget, folder: string): string | undefined {
  const { dockerfile } = target
  if (dockerfile.startsWith('cwd://')) return resolve(folder, dockerfile.slice('cwd://'.length))
  const context = folderOf(target.context, folder)
  if (context === undefined || /^[a-z]+:/i.test(dockerfile)) return undefined
  return isAbsolute(dockerfile) ? dockerfile : join(context, dockerfile)
}

/** A context on this machine, or undefined for one that lives elsewhere (git, http, a registry, another target). */
export function folderOf(context: string, folder: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(context) || /^[\w.-]+@/.test(context)) return undefined
  return isAbsolute(context) ? context : resolve(folder, context)
}
