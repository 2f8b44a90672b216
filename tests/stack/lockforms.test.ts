import { cp, mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { ImageSet } from '../../src/release/imageset.ts'
import { LOCK_FORMS, lockForms } from '../../src/release/lockforms.ts'
import { imagesOf, type KubeObject, parseManifests } from '../../src/render/manifest.ts'
import { runProgram } from '../../src/tools/program.ts'
import { testPrograms } from '../programs.ts'
import { renderChart } from './chart.ts'

/** The programs that people use read what build-images writes beside the lock file. */
const NAMES = ['frontend', 'backend', 'mcp-server', 'ai-agent', 'database', 'local-model']

const set: ImageSet = {
  version: 1,
  images: Object.fromEntries(
    NAMES.map((name, index) => {
      const digest = `sha256:${String(index + 1).repeat(64)}`
      return [name, { reference: `registry.example:5000/todo/${name}@${digest}`, digest, size: 1 }]
    }),
  ),
}
const wanted = NAMES.filter((name) => name !== 'local-model').map(
  (name) => set.images[name]?.reference ?? '',
)

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-forms-'))
  await mkdir(join(folder, LOCK_FORMS))
  for (const [file, text] of Object.entries(lockForms(set)))
    await writeFile(join(folder, LOCK_FORMS, file), text)
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

function allImages(objects: readonly KubeObject[]): readonly string[] {
  return [...new Set(objects.flatMap(imagesOf))].sort()
}

it('kustomize takes the folder as a component of an overlay', async () => {
  for (const part of ['base', 'components', 'overlays'])
    await cp(join('k8s', part), join(folder, part), { recursive: true })
  const mine = join(folder, 'mine')
  await mkdir(mine)
  const lines = ['resources: [../overlays/production]', `components: [../${LOCK_FORMS}]`]
  await writeFile(join(mine, 'kustomization.yaml'), lines.join('\n'))
  const argv = [await testPrograms.tool('kustomize'), 'build', mine] as const
  const built = await runProgram({ argv, timeoutSeconds: 60 }, AbortSignal.timeout(60_000))
  expect(built.stderr).toBe('')
  expect(allImages(parseManifests(built.stdout, 'the overlay'))).toEqual([...wanted].sort())
})

it('helm takes the values for the chart, whose schema accepts them', async () => {
  const values = join(folder, LOCK_FORMS, 'images.values.yaml')
  const objects = await renderChart('todo-lock-forms', [
    ...['--values', 'k8s/helm/todo-app/values-production.yaml'],
    ...['--values', values],
  ])
  expect(allImages(objects)).toEqual([...wanted].sort())
})
