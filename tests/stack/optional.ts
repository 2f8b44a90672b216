import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Switches on what no environment has: adds to the overlays of this copy of the manifests each component that nothing lists. */
export async function listAllComponents(folder: string): Promise<void> {
  const overlays = await readdir(join(folder, 'overlays'))
  const files = overlays.map((name) => join(folder, 'overlays', name, 'kustomization.yaml'))
  const environments = join(folder, 'environments.yaml')
  const texts = await Promise.all([...files, environments].map((file) => readFile(file, 'utf8')))
  const missing = (await readdir(join(folder, 'components'))).filter(
    (name) => !texts.some((text) => new RegExp(`components/${name}(?![\\w-])`).test(text)),
  )
  const lines = missing.map((name) => `  - ../../components/${name}\n`).join('')
  for (const file of files)
    await writeFile(
      file,
      (await readFile(file, 'utf8')).replace(/^components:\n( {2}- .*\n)+/m, `$&${lines}`),
    )
}
