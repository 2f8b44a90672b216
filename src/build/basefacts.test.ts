import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { digestOf, type FakeRegistry, openFakeRegistry } from '../../tests/fakes/registry.ts'
import { fakeWorld } from '../../tests/fakes/world.ts'
import type { BakeTarget } from './bakeplan.ts'
import { lookAtBases } from './basefacts.ts'
import type { Base } from './bases.ts'
import type { Survey } from './survey.ts'

const OCI = 'application/vnd.oci.image'
const target: BakeTarget = {
  name: 'api',
  context: '.',
  dockerfile: 'Dockerfile',
  contexts: {},
  args: {},
  resolved: {},
}

let registry: FakeRegistry
/** Digests of what is in the registry. */
const digests: Record<string, string> = {}

/** Puts an image for one platform into the registry, under its digest. */
function putImage(name: string, config: unknown): void {
  const bytes = Buffer.from(JSON.stringify(config))
  registry.blobs.set(digestOf(bytes), bytes)
  const size = bytes.length
  const described = { mediaType: `${OCI}.config.v1+json`, digest: digestOf(bytes), size }
  putManifest(name, { schemaVersion: 2, config: described, layers: [] }, { kind: 'manifest' })
}

type Content = { readonly kind: 'manifest' | 'index'; readonly tag?: string | undefined }

function putManifest(name: string, content: unknown, { kind, tag }: Content): void {
  const bytes = Buffer.from(JSON.stringify(content))
  const manifest = { mediaType: `${OCI}.${kind}.v1+json`, bytes }
  digests[name] = digestOf(bytes)
  for (const reference of [digestOf(bytes), ...(tag === undefined ? [] : [tag])])
    registry.manifests.set(`library/python/${reference}`, manifest)
}

function putIndex(name: string, images: Readonly<Record<string, string>>, tag?: string): void {
  const manifests = Object.entries(images).map(([architecture, image]) => {
    const digest = digests[image] ?? ''
    const size = registry.manifests.get(`library/python/${digest}`)?.bytes.length
    const mediaType = `${OCI}.manifest.v1+json`
    return { mediaType, digest, size, platform: { os: 'linux', architecture } }
  })
  putManifest(name, { schemaVersion: 2, manifests }, { kind: 'index', tag })
}

beforeAll(async () => {
  registry = await openFakeRegistry()
  const made = (created: string, layer: string) => ({ created, rootfs: { diff_ids: [layer] } })
  putImage('old arm', made('2026-01-01T00:00:00Z', 'sha256:arm'))
  putImage('old amd', made('2026-01-02T00:00:00Z', 'sha256:old'))
  putImage('new amd', made('1980-01-01T00:00:00Z', 'sha256:new'))
  putIndex('old', { arm64: 'old arm', amd64: 'old amd' })
  putIndex('same', { amd64: 'old amd' }, 'same')
  putIndex('new', { unknown: 'old arm', amd64: 'new amd' }, '3.11')
})
afterAll(() => registry.close())

/** The registry is asked by its own name: without mirrors nobody else is. */
async function look(tag: string, base: Base) {
  const name = `${registry.registry}/library/${tag}`
  const survey: Survey = {
    keys: new Map(),
    sources: [{ target, images: [name], doubts: [], inputs: {}, parents: [] }],
    bases: new Map([[name, base]]),
    mirrors: new Map(),
    platformsOf: () => ['linux/amd64'],
  }
  return (await lookAtBases(survey, fakeWorld())).get(name)
}

describe('a base image', () => {
  it('is as old as the image for the platform says, and what it was is named by digest', async () => {
    const facts = await look('python:3.11', { digest: digests['old'] ?? '' })
    expect(facts?.reference).toBe(`${registry.registry}/library/python@${digests['old'] ?? ''}`)
    expect(facts?.used?.created).toEqual(new Date('2026-01-02T00:00:00Z'))
    expect(facts?.used?.layers).toEqual(['sha256:old'])
    expect(facts?.doubt).toBe('')
  })

  it('has nothing newer where its tag was resolved just now', async () => {
    expect((await look('python:3.11', { digest: digests['old'] ?? '' }))?.newer).toBeUndefined()
  })

  it('that is pinned has what its tag leads to now, of unknown age where the date means nothing', async () => {
    const digest = digests['old'] ?? ''
    const facts = await look(`python:3.11@${digest}`, { digest })
    expect(facts?.newer?.digest).toBe(digests['new'])
    expect(facts?.newer?.image).toBe(digests['new amd'])
    expect(facts?.newer?.created).toBeUndefined()
  })

  it.each(['old', 'old amd'])(
    'is not old where the tag leads to the same image (%s)',
    async (pin) => {
      const digest = digests[pin] ?? ''
      expect((await look(`python:same@${digest}`, { digest }))?.newer).toBeUndefined()
    },
  )

  it('without a tag has nothing that could be newer', async () => {
    const digest = digests['old'] ?? ''
    expect((await look(`python@${digest}`, { digest }))?.newer).toBeUndefined()
  })

  it('that is gone, or never was known, is said to be', async () => {
    const digest = `sha256:${'0'.repeat(64)}`
    const gone = await look(`python:3.11@${digest}`, { digest })
    expect(gone?.doubt).toMatch(/is not in the registry any more/)
    expect((await look('python:9', { doubt: 'no such tag' }))?.doubt).toBe('no such tag')
  })
})
