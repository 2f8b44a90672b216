import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** The project's folder, wherever a script is started. */
export const project: string = join(import.meta.dirname, '..')

/** The names of the actions: the folders of `actions/`. */
export async function actionNames(): Promise<readonly string[]> {
  const entries = await readdir(join(project, 'actions'), { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
}
