import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '../environments/environments.ts'
import { UserError } from '../errors.ts'
import type { Files } from '../release/archive.ts'
import type { ImageSet } from '../release/imageset.ts'
import { kustomizeImages } from '../release/lockforms.ts'
import type { World } from '../world.ts'
import { toYaml } from '../yaml.ts'
import { layOutFiles } from './folder.ts'
import { type KubeObject, parseManifests } from './manifest.ts'

const RENDER_TIMEOUT_S = 60
/** It ends within a tenth of a second: with Go's own 100 it spends a fourth of that on freeing memory. */
const GOGC = '400'
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
  layOutFiles(folder, source.manifests)
  // kustomize is what everything waits for: nothing else gets a turn before it runs.
  mkdirSync(join(folder, TOP))
  const kustomization = toYaml(topKustomization(source.images, environment))
  writeFileSync(join(folder, TOP, 'kustomization.yaml'), kustomization)
  const result = await world.run(
    {
      argv: [await program, 'build', join(folder, TOP)],
      timeoutSeconds: RENDER_TIMEOUT_S,
      env: { GOGC, ...process.env },
    },
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
