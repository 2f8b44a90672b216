import { cpSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { attempt, run } from './command.ts'
import { keyOf, keyOfFolders } from './files.ts'
import { places, source } from './places.ts'

/** What goes into an image besides its folder in lab/images. */
export interface Recipe {
  readonly name: string
  /** The image it is made from. */
  readonly base?: string
  /** Path in the build context → a file or folder of this machine. */
  readonly copies?: Readonly<Record<string, string>>
  /** Path in the build context → text. */
  readonly texts?: Readonly<Record<string, string>>
  /** Arguments of the build. */
  readonly settings?: Readonly<Record<string, string>>
  /** What tells one state of the copies from another. */
  readonly key?: string
}

const BUILD_SECONDS = 900
const HTTP_SETTINGS = [
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
]
export const KEY_LABEL = 'todo-deploy.lab'

/** Builds the image unless the engine has it as it would be built now; returns its reference. */
export async function buildImage(recipe: Recipe, host: string): Promise<string> {
  const folder = join(source, 'images', recipe.name)
  const key = keyOf(
    keyOfFolders(folder),
    JSON.stringify([recipe.base, recipe.texts, recipe.settings, recipe.key]),
  )
  const image = `todo-deploy/${recipe.name}:${key}`
  if (await hasImage(image, host)) return image
  const context = join(places.work, recipe.name)
  rmSync(context, { recursive: true, force: true })
  cpSync(folder, context, { recursive: true })
  for (const [path, from] of Object.entries(recipe.copies ?? {})) bring(from, join(context, path))
  for (const [path, text] of Object.entries(recipe.texts ?? {}))
    writeFileSync(join(context, path), text)
  await run(
    [
      ...[
        'docker',
        '--host',
        host,
        'build',
        '--network',
        'host',
        '--force-rm',
        ...buildArguments(recipe),
      ],
      '--tag',
      image,
      context,
    ],
    // The engine's own builder: at this point there may be no other.
    {
      env: { DOCKER_BUILDKIT: '0', BUILDX_NO_DEFAULT_ATTESTATIONS: '1' },
      timeoutSeconds: BUILD_SECONDS,
      log: `image-${recipe.name}.log`,
    },
  )
  rmSync(context, { recursive: true, force: true })
  return image
}

function buildArguments(recipe: Recipe): string[] {
  const passedOn = HTTP_SETTINGS.filter((name) => process.env[name] !== undefined)
  const base = recipe.base === undefined ? {} : { BASE: recipe.base }
  const own = Object.entries({ ...base, ...recipe.settings }).map(
    ([name, value]) => `${name}=${value}`,
  )
  return [...passedOn, ...own].flatMap((one) => ['--build-arg', one])
}

export async function hasImage(image: string, host: string): Promise<boolean> {
  return (
    (await attempt(['docker', '--host', host, 'image', 'inspect', '--format', '{{.Id}}', image]))
      .code === 0
  )
}

// A hard link where that is possible: the programs are large.
function bring(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  try {
    linkSync(from, to)
  } catch {
    cpSync(from, to, { recursive: true, dereference: true })
  }
}
