import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { digestOf, type FakeRegistry, openFakeRegistry } from '../../tests/fakes/registry.ts'
import { fakeWorld } from '../../tests/fakes/world.ts'
import { fetchEarlierLayers } from './earlierlayers.ts'

const OCI = 'application/vnd.oci.image'
const large = Buffer.alloc(2 * 1024 * 1024, 'a')
const small = Buffer.from('little')

let registry: FakeRegistry
let folder: string
beforeAll(async () => {
  registry = await openFakeRegistry()
  folder = await mkdtemp(join(tmpdir(), 'todo-deploy-layers-'))
})
afterAll(async () => {
  await registry.close()
  await rm(folder, { recursive: true })
})

/** The image as it was published last. */
function publish(name: string, ...layers: readonly Buffer[]): void {
  const described = layers.map((bytes) => {
    registry.blobs.set(digestOf(bytes), bytes)
    const mediaType = `${OCI}.layer.v1.tar+gzip`
    return { mediaType, digest: digestOf(bytes), size: bytes.length }
  })
  const [config] = described
  const content = { schemaVersion: 2, config, layers: described }
  const bytes = Buffer.from(JSON.stringify(content))
  const manifest = { mediaType: `${OCI}.manifest.v1+json`, bytes }
  for (const reference of ['newest', digestOf(bytes)])
    registry.manifests.set(`todo/${name}/${reference}`, manifest)
}

beforeEach(() => {
  registry.blobs.clear()
  publish('api', large, small)
})

/** What is in the store afterwards, by digest; `holds` is what the builder says that it has. */
async function fetched(names: readonly string[], holds = ''): Promise<Map<string, Buffer>> {
  const store = await mkdtemp(join(folder, 'store-'))
  const run = () => Promise.resolve({ status: 0, stdout: holds, stderr: '' })
  const where = { registry: `${registry.registry}/todo`, builder: 'new', store }
  await fetchEarlierLayers(names, where, fakeWorld({ run }))
  const files = await readdir(join(store, 'sha256')).catch(() => [])
  const read = files.map(
    async (name) => [`sha256:${name}`, await readFile(join(store, 'sha256', name))] as const,
  )
  return new Map(await Promise.all(read))
}

it('are fetched where they are large, and an image that is new has none', async () => {
  expect(await fetched(['api', 'never-published'])).toEqual(new Map([[digestOf(large), large]]))
})

it('are left to a builder that has something already', async () => {
  expect(await fetched(['api'], '{"ID":"of before"}\n')).toEqual(new Map())
})

it('are whole and right, or not there', async () => {
  registry.blobs.set(digestOf(large), Buffer.alloc(large.length, 'b'))
  const store = await mkdtemp(join(folder, 'store-'))
  const run = () => Promise.resolve({ status: 0, stdout: '', stderr: '' })
  const where = { registry: `${registry.registry}/todo`, builder: '', store }
  await expect(fetchEarlierLayers(['api'], where, fakeWorld({ run }))).rejects.toThrow()
  expect(await readdir(join(store, 'sha256'))).toEqual([])
})
