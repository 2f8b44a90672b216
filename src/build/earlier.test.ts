import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { digestOf, type FakeRegistry, openFakeRegistry } from '../../tests/fakes/registry.ts'
import { fakeWorld } from '../../tests/fakes/world.ts'
import type { ImageSet } from '../release/imageset.ts'
import { publishRelease } from '../../tests/fakes/release.ts'
import { readEarlier } from './earlier.ts'

const MEDIA_TYPE = 'application/vnd.oci.image.manifest.v1+json'
const digest = digestOf('now')

let registry: FakeRegistry
let set: ImageSet
beforeEach(async () => {
  registry = await openFakeRegistry()
  const place = `${registry.registry}/todo`
  const image = (name: string) => ({ reference: `${place}/${name}@${digest}`, digest, size: 100 })
  set = { version: 1, images: { backend: image('backend'), frontend: image('frontend') } }
})
afterEach(async () => {
  await registry.close()
})

/** Puts an image of one layer under the tag `newest`; returns its digest. */
function publishNewest(name: string, layerSize: number): { digest: string; size: number } {
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('{}') }
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf('layer') }
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE,
      config: { ...config, size: 2 },
      layers: [{ ...layer, size: layerSize }],
    }),
  )
  const published = digestOf(bytes)
  for (const reference of ['newest', published])
    registry.manifests.set(`todo/${name}/${reference}`, { mediaType: MEDIA_TYPE, bytes })
  return { digest: published, size: bytes.length + 2 + layerSize }
}

const asked = { baseline: '', push: true, signer: undefined }

describe('what the images were before', () => {
  it('is what was published last; an image that never was is left out', async () => {
    const newest = publishNewest('backend', 70)
    const found = await readEarlier(set, asked, fakeWorld())
    expect([...found]).toEqual([['backend', { ...newest, of: 'newest' }]])
  })

  it('is what the baseline has, and for images that it does not have what was published last', async () => {
    const newest = publishNewest('frontend', 30)
    publishNewest('backend', 70)
    const backend = { reference: set.images['backend']?.reference ?? '', digest, size: 55 }
    const place = { registry: registry.registry, repository: 'todo/release' }
    const content = { images: { version: 1, images: { backend } }, revision: '' } as const
    const { reference: baseline } = await publishRelease(
      { ...content, manifests: new Map([['environments.yaml', Buffer.from('x')]]) },
      place,
      new AbortController().signal,
    )
    const found = await readEarlier(set, { ...asked, baseline }, fakeWorld())
    expect(Object.fromEntries(found)).toEqual({
      backend: { digest, size: 55, of: 'baseline' },
      frontend: { ...newest, of: 'newest' },
    })
  })

  it('is not asked for where nothing is published or used again', async () => {
    await readEarlier(set, { ...asked, push: false }, fakeWorld())
    expect(registry.asked).toEqual([])
  })

  it('is unknown, and no failure, where the registry does not answer', async () => {
    await registry.close()
    registry = await openFakeRegistry(() => ({ status: 403 }))
    const { backend } = set.images
    const reference = `${registry.registry}/todo/backend@${digest}`
    const there = {
      version: 1,
      images: { backend: { ...backend, digest, size: 1, reference } },
    } as const
    const world = fakeWorld()
    expect((await readEarlier(there, asked, world)).size).toBe(0)
    expect(world.said.join('\n')).toMatch(/^Sizes are not compared with earlier ones: /)
  })

  it('ends where the run is cancelled', async () => {
    const world = fakeWorld({ signal: AbortSignal.abort(new Error('cancelled by SIGTERM')) })
    await expect(readEarlier(set, asked, world)).rejects.toThrow('cancelled by SIGTERM')
  })
})
