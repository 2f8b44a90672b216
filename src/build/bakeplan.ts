import { UserError } from '../errors.ts'
import { at, isObject, parseJson, textAt } from '../json.ts'
import type { World } from '../world.ts'

/** One image to build, as `bake --print` resolved it. */
export type BakeTarget = {
  readonly name: string
  readonly context: string
  readonly dockerfile: string
}

export type BakePlan = {
  readonly file: string
  readonly folder: string
  readonly targets: readonly BakeTarget[]
}

const PRINT_TIMEOUT_S = 60
/** A build argument that looks like this would end up in the image's history for everybody. */
const SECRET_NAME = /(SECRET|TOKEN|PASSWORD|PASSWD|API_?KEY|PRIVATE_?KEY|CREDENTIAL)/i

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
  const leaked = targets.flatMap(([name, target]) => secretArguments(name, target))
  if (leaked.length > 0)
    throw new UserError(
      `Build arguments are visible in the image: pass these as build secrets instead`,
      leaked,
    )
  return {
    file,
    folder,
    targets: targets.map(([name, target]) => ({
      name,
      context: textAt(target, 'context') ?? '.',
      dockerfile: textAt(target, 'dockerfile') ?? 'Dockerfile',
    })),
  }
}

function secretArguments(name: string, target: unknown): string[] {
  const args = at(target, 'args')
  if (!isObject(args)) return []
  return Object.keys(args)
    .filter((key) => SECRET_NAME.test(key))
    .map((key) => `${name}: ${key}`)
}

function explain(stderr: string, options: { readonly file: string }): UserError {
  const lines = stderr.trim().split('\n')
  const error = lines.findLast((line) => line.includes('ERROR')) ?? lines.at(-1) ?? ''
  return new UserError(
    `The bake file ${options.file} can't be used: ${error.replace(/^ERROR:\s*/, '')}`,
    lines.slice(-12),
  )
}
