import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Call, todoDeploy } from '../e2e/lab.ts'
import { formatImageSet, type ImageSet } from '../../src/release/imageset.ts'

/** The repository's own manifests with overlays of a test beside them, as a folder that `deploy --path` takes. */
export type Tree = { readonly path: string; readonly images: string }
/** Files of an overlay, by name. JSON is YAML too. */
export type Overlay = Readonly<Record<string, unknown>>

type Content = {
  readonly images: ImageSet
  readonly overlays: Readonly<Record<string, Overlay>>
  /** As in environments.yaml. */
  readonly environments: Readonly<Record<string, unknown>>
  readonly verify?: unknown
}

/** Writes a tree of manifests to out/stack/`name`, anew each time. */
export async function plantTree(name: string, content: Content): Promise<Tree> {
  const folder = join('out', 'stack', name)
  const path = join(folder, 'k8s')
  await rm(folder, { recursive: true, force: true })
  await cp('k8s', path, { recursive: true })
  for (const [overlay, files] of Object.entries(content.overlays)) {
    await mkdir(join(path, 'overlays', overlay), { recursive: true })
    for (const [file, data] of Object.entries(files))
      await writeFile(join(path, 'overlays', overlay, file), JSON.stringify(data))
  }
  const { environments, verify = {} } = content
  const declared = { application: 'todo-app', environments, verify }
  await writeFile(join(path, 'environments.yaml'), JSON.stringify(declared))
  const images = join(folder, 'images.lock.json')
  await writeFile(images, formatImageSet(content.images))
  return { path, images }
}

/** Runs `deploy` on a tree, as a person does. */
export async function deployTree(tree: Tree, environment: string): Promise<Call> {
  const source = ['--path', tree.path, '--images', tree.images]
  return await todoDeploy(['deploy', '--environment', environment, ...source])
}

/** A patch that takes objects out of what an overlay renders. */
export function without(target: object): object {
  const patch = { apiVersion: 'v1', kind: 'All', metadata: { name: 'all' }, $patch: 'delete' }
  return { target, patch: JSON.stringify(patch) }
}

/** A patch that replaces values, by their path. */
export function replacing(target: object, values: Readonly<Record<string, unknown>>): object {
  const patch = Object.entries(values).map(([path, value]) => ({ op: 'replace', path, value }))
  return { target, patch: JSON.stringify(patch) }
}
