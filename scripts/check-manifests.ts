// Renders every environment of environments.yaml as a deploy does, and judges the objects by our own rules (src/rules).
// Prints what is wrong and what is allowed by an exception; ends with status 1 where anything is wrong.
//   node scripts/check-manifests.ts [FOLDER OF MANIFESTS]
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { inRealWorld } from '../src/edge/world.ts'
import { previewEnvironment, readEnvironments } from '../src/environments/environments.ts'
import { sha256 } from '../src/registry/client.ts'
import type { ImageSet } from '../src/release/imageset.ts'
import { readManifests } from '../src/release/release.ts'
import { renderEnvironment } from '../src/render/render.ts'
import type { KubeObject } from '../src/render/manifest.ts'
import { checkManifests } from '../src/rules/check.ts'
import type { World } from '../src/world.ts'
import { project } from './actions.ts'

const TIME_LIMIT_MS = 300_000
/** What a preview would be called: any name does. */
const PREVIEW = 'check'

export type Rendered = { readonly name: string; readonly objects: readonly KubeObject[] }

/** Every environment of a folder of manifests, in the order of promotion, with a preview. */
export async function renderEnvironments(
  folder: string,
  world: World,
): Promise<readonly Rendered[]> {
  const manifests = await readManifests(folder)
  const environments = readEnvironments(manifests)
  const images = await standInImages()
  const rendered: Rendered[] = []
  for (const listed of environments.list) {
    const environment = listed.preview ? previewEnvironment(environments, PREVIEW) : listed
    const objects = await renderEnvironment({ manifests, images }, environment, world)
    rendered.push({ name: listed.name, objects })
  }
  return rendered
}

/** Real digests need a build, and no rule asks what is in an image: each gets one made of its name. */
async function standInImages(): Promise<ImageSet> {
  const names = await readdir(join(project, 'docker'))
  const images = names.map((name) => {
    const digest = sha256(Buffer.from(name))
    return [name, { reference: `images.invalid/${name}@${digest}`, digest, size: 0 }] as const
  })
  return { version: 1, images: Object.fromEntries(images) }
}

async function main(folder: string, world: World): Promise<number> {
  let problems = 0
  for (const { name, objects } of await renderEnvironments(folder, world)) {
    const { violations, allowed } = checkManifests(objects)
    problems += violations.length
    const verdict = violations.length === 0 ? 'ok  ' : 'FAIL'
    print(`${verdict}  ${name}: ${objects.length} objects, ${violations.length} violations`)
    for (const { object, rule, path, message } of violations)
      print(`      ${object}: ${rule}: ${path}: ${message}`)
    for (const { object, rule, path, reason } of allowed)
      print(`      ${object}: ${rule}: ${path}: allowed: ${reason}`)
  }
  return problems === 0 ? 0 : 1
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

if (import.meta.main) {
  const progress = {
    step: <T>(_title: string, work: () => Promise<T>) => work(),
    say: print,
    warn: print,
    show: () => undefined,
  }
  const folder = process.argv[2] ?? join(project, 'k8s')
  const signal = AbortSignal.timeout(TIME_LIMIT_MS)
  process.exitCode = await inRealWorld({ progress, signal }, (world) => main(folder, world))
}
