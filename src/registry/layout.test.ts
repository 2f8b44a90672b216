import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  type Asked,
  digestOf,
  type FakeRegistry,
  openFakeRegistry,
  type Reply,
} from '../../tests/fakes/registry.ts'
import { openRepository, type Repository } from './client.ts'
import { type Descriptor, pushLayout, readLayout, storedSize } from './layout.ts'

const INDEX = 'application/vnd.oci.image.index.v1+json'
const IMAGE = 'application/vnd.oci.image.manifest.v1+json'

let folder = ''
let registry: FakeRegistry | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'layout-'))
  await mkdir(join(folder, 'blobs/sha256'), { recursive: true })
})
afterEach(async () => {
  await rm(folder, { recursive: true })
  await registry?.close()
  registry = undefined
})

async function open(intercept?: (asked: Asked) => Reply | undefined): Promise<Repository> {
  registry = await openFakeRegistry(intercept)
  const place = { registry: registry.registry, repository: 'todo/backend' }
  return openRepository(place, new AbortController().signal)
}

function blobFile(digest: string): string {
  return join(folder, 'blobs', digest.replace(':', '/'))
}

async function add(mediaType: string, text: string): Promise<Descriptor> {
  const digest = digestOf(text)
  await writeFile(blobFile(digest), text)
  return { mediaType, digest, size: text.length }
}

/** A layout of one image with two platforms, of one layer each. */
async function makeLayout(): Promise<{ layers: Descriptor[]; root: Descriptor }> {
  const layers = [await add('layer', 'amd64 bytes'), await add('layer', 'arm64 bytes')]
  const manifests: Descriptor[] = []
  for (const layer of layers) {
    const config = await add('config', `{"of":"${layer.digest}"}`)
    manifests.push(await add(IMAGE, JSON.stringify({ mediaType: IMAGE, config, layers: [layer] })))
  }
  const root = await add(INDEX, JSON.stringify({ mediaType: INDEX, manifests }))
  await writeFile(join(folder, 'index.json'), JSON.stringify({ manifests: [root] }))
  return { layers, root }
}

describe('an OCI layout', () => {
  it('is pushed as it is: the registry then has the same digest and size', async () => {
    const { root } = await makeLayout()
    const image = await readLayout(folder)
    const repository = await open()
    await pushLayout(image, repository)
    expect(image.root).toEqual(root)
    expect(await storedSize(root.digest, repository)).toBe(image.size)
  })

  it('leaves no manifest that names its index where its push breaks midway', async () => {
    const { root, layers } = await makeLayout()
    const image = await readLayout(folder)
    const repository = await open(({ method, url }) =>
      method === 'PUT' && url.searchParams.get('digest') === layers[1]?.digest
        ? { status: 400 }
        : undefined,
    )
    await expect(pushLayout(image, repository)).rejects.toThrow('400')
    expect(await repository.getManifest(root.digest)).toBeUndefined()
    expect(await storedSize(root.digest, repository)).toBeUndefined()
  })

  it('is refused where a manifest has other bytes than its digest', async () => {
    const { root } = await makeLayout()
    await writeFile(blobFile(root.digest), '{"manifests":[]}')
    await expect(readLayout(folder)).rejects.toThrow('is damaged')
  })

  it('is refused where a layer was cut short', async () => {
    const { layers } = await makeLayout()
    await truncate(blobFile(layers[0]?.digest ?? ''), 3)
    await expect(readLayout(folder)).rejects.toThrow('is damaged')
  })

  it('is refused where it holds two images', async () => {
    const { root } = await makeLayout()
    await writeFile(join(folder, 'index.json'), JSON.stringify({ manifests: [root, root] }))
    await expect(readLayout(folder)).rejects.toThrow('holds 2 images, one was expected')
  })
})
