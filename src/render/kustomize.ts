import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import type { Environment } from '../environments/environments.ts'
import { UserError } from '../errors.ts'
import type { Files } from '../release/archive.ts'
import type { ImageSet } from '../release/imageset.ts'
import { kustomizeImages } from '../release/lockforms.ts'
import type { World } from '../world.ts'
import { type KubeObject, parseManifests } from './manifest.ts'

const RENDER_TIMEOUT_S = 60
/** The folder of the kustomization that is written over the user's overlay. */
const TOP = 'todo-deploy-render'

/** Renders the overlay of an environment: its namespace and components, and the images of the set by their digests. */
export async function renderOverlay(
  source: { readonly manifests: Files; readonly images: ImageSet },
  environment: Environment,
  world: World,
): Promise<readonly KubeObject[]> {
  const folder = join(world.workspace, `render-${environment.namespace}`)
  const program = world.tools('kustomize')
  program.catch(() => undefined) // Told below.
  await rm(folder, { recursive: true, force: true })
  await writeFiles(folder, source.manifests)
  await mkdir(join(folder, TOP))
  const kustomization = stringify(topKustomization(source.images, environment))
  await writeFile(join(folder, TOP, 'kustomization.yaml'), kustomization)
  const result = await world.run(
    { argv: [await program, 'build', join(folder, TOP)], timeoutSeconds: RENDER_TIMEOUT_S },
    world.signal,
  )
  if (result.status !== 0) {
    const cause = result.stderr.trim().replaceAll(`${folder}/`, '')
    throw new UserError(
      `The overlay ${environment.overlay} does not render: ${cause.split('\n').at(-1) ?? ''}`,
      cause.split('\n'),
    )
  }
  return parseManifests(result.stdout, `the overlay ${environment.overlay}`)
}

/** What is laid over the user's overlay (pure, so that a test can read it). */
export function topKustomization(images: ImageSet, environment: Environment): unknown {
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: environment.namespace,
    resources: [`../${environment.overlay}`],
    components: environment.components.map((component) => `../${component}`),
    images: kustomizeImages(images),
  }
}

async function writeFiles(folder: string, files: Files): Promise<void> {
  const folders = new Set([...files.keys()].map((name) => dirname(join(folder, name))))
  for (const one of folders) await mkdir(one, { recursive: true })
  await Promise.all([...files].map(([name, content]) => writeFile(join(folder, name), content)))
}
