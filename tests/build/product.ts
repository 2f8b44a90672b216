import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lab } from '../e2e/lab.ts'

/** One image of a bake file that a test writes. */
export type TestImage = {
  readonly dockerfile?: string
  readonly args?: Readonly<Record<string, string>>
  readonly bytes?: number
  readonly more?: Readonly<Record<string, unknown>>
}

const SMALL = 'FROM scratch\nCOPY content /content\n'

/** A folder with a bake file; each image has bytes that no other has, so that nothing is known of it anywhere. */
export type Product = {
  readonly folder: string
  readonly bakeFile: string
  readonly remove: () => Promise<void>
}

export async function writeProduct(
  images: Readonly<Record<string, TestImage>> = { one: {}, two: {} },
): Promise<Product> {
  const folder = await mkdtemp(join(tmpdir(), 'product-'))
  const target: Record<string, unknown> = {}
  for (const [name, { dockerfile = SMALL, args, bytes = 64, more }] of Object.entries(images)) {
    const context = join(folder, name)
    await mkdir(context)
    await writeFile(join(context, 'Dockerfile'), dockerfile)
    await writeFile(join(context, 'content'), randomBytes(bytes))
    target[name] = { context, ...(args === undefined ? {} : { args }), ...more }
  }
  const bakeFile = join(folder, 'docker-bake.json')
  const group = { default: { targets: Object.keys(images) } }
  await writeFile(bakeFile, JSON.stringify({ group, target }))
  return {
    folder,
    bakeFile,
    remove: async () => {
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The command line that builds it into a registry of the test. */
export function buildArguments(
  product: Pick<Product, 'bakeFile'>,
  registry: string,
  ...more: readonly string[]
): readonly string[] {
  return [
    ...['build-images', '--bake-file', product.bakeFile, '--registry', `${registry}/todo`],
    ...['--builder', lab.builder, '--vulnerability-db', lab.vulnerabilityDatabase],
    ...['--cache', 'none', ...more],
  ]
}
