import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from '@jest/globals'

const IMPORT = /(?:^(?:import|export|\} from)\b[^'\n]*|\bimport\()'([^']+)'/gm
const IMPORT_TYPE = /^import type [^']*'[^']+'/gm
const FILES = ['src', 'actions']
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))

/** What each file of the product imports: paths for its own files, names for packages. */
const imports = new Map(FILES.map((file) => [file, importsOf(file, readFileSync(file, 'utf8'))]))

/** The same without what is only for types: that is gone when the program runs. */
const runtimeImports = new Map(
  FILES.map((file) => [file, importsOf(file, readFileSync(file, 'utf8').replace(IMPORT_TYPE, ''))]),
)

function importsOf(file: string, text: string): readonly string[] {
  return [...text.matchAll(IMPORT)].map(([, name = '']) =>
    name.startsWith('.') ? normalize(join(dirname(file), name)) : name,
  )
}

/** `file → import` for every import that `isIt`. */
function found(isIt: (file: string, imported: string) => boolean): readonly string[] {
  return [...imports].flatMap(([file, names]) =>
    names.filter((name) => isIt(file, name)).map((name) => `${file} → ${name}`),
  )
}

/** The first circle of imports that can be reached from `file`, as a path back to itself. */
function circleFrom(
  file: string,
  path: readonly string[],
  done: Set<string>,
): readonly string[] | undefined {
  if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
  if (done.has(file)) return undefined
  for (const next of runtimeImports.get(file) ?? []) {
    const circle = circleFrom(next, [...path, file], done)
    if (circle !== undefined) return circle
  }
  done.add(file)
  return undefined
}

describe('the walls of the house', () => {
  it('stand around every file: the rooms are read at all', () => {
    expect(imports.size).toBeGreaterThan(50)
    expect(imports.get('src/cluster/cluster.ts')).toContain('src/cluster/kubeconfig.ts')
    expect(imports.get('src/rollout/causes/causes.ts')).toContain('src/render/manifest.ts')
  })

  it('let only the edge speak to GitHub', () => {
    const others = found(
      (file, name) => name.startsWith('@actions/') && !file.startsWith('src/edge/'),
    )
    expect(others).toEqual([])
  })

  it('let only the cluster speak to Kubernetes', () => {
    const others = found(
      (file, name) => name.startsWith('@kubernetes/') && !file.startsWith('src/cluster/'),
    )
    expect(others).toEqual([])
  })

  it('let src know nothing of the actions, but for the one file that starts the commands', () => {
    const others = found(
      (file, name) =>
        file.startsWith('src/') && file !== 'src/edge/main.ts' && name.startsWith('actions/'),
    )
    expect(others).toEqual([])
  })

  it('let the rooms know nothing of the edge', () => {
    const others = found(
      (file, name) =>
        file.startsWith('src/') && !file.startsWith('src/edge/') && name.startsWith('src/edge/'),
    )
    expect(others).toEqual([])
  })

  it('let no file import itself, by whatever way round', () => {
    const done = new Set<string>()
    const circles = [...runtimeImports.keys()].map((file) => circleFrom(file, [], done))
    expect(circles.find((circle) => circle !== undefined)).toBeUndefined()
  })
})
