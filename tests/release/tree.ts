import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseYaml } from '../../src/yaml.ts'

const TREE = join(import.meta.dirname, '../../out/release')

type ActionFile = {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>
  readonly runs: { readonly main: string }
}

/** The path of a file in the release tree; throws where there is no tree. */
export function treePath(...names: readonly string[]): string {
  if (!existsSync(join(TREE, 'package.json')))
    throw new Error('There is no release tree: run "npm run build" and "npm run release" first')
  return join(TREE, ...names)
}

export async function readActionFile(action: string): Promise<ActionFile> {
  const text = await readFile(treePath('actions', action, 'action.yml'), 'utf8')
  return parseYaml(text) as ActionFile
}
