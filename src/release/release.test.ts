import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type FakeRegistry, openFakeRegistry } from '../../tests/fakes/registry.ts'
import { pushArtifact } from '../registry/artifact.ts'
import { openRepository } from '../registry/client.ts'
import { addEvidence, readEvidence } from './evidence.ts'
import { publishRelease } from '../../tests/fakes/release.ts'
import { pullRelease, readManifests } from './release.ts'

const digest = `sha256:${'a'.repeat(64)}`
const backend = { reference: `ghcr.io/todo/backend@${digest}`, digest, size: 7 }
const database = { reference: `ghcr.io/todo/database@${digest}`, digest, size: 8 }
const images = { version: 1, images: { backend, database } } as const
const manifests = new Map([
  ['base/backend.yaml', Buffer.from('kind: Deployment')],
  ['environments.yaml', Buffer.from('application: todo')],
])
const content = { images, manifests, revision: 'c0ffee' }
const { signal } = new AbortController()

let registry: FakeRegistry
let place = { registry: '', repository: 'todo/release' }
beforeEach(async () => {
  registry = await openFakeRegistry()
  place = { ...place, registry: registry.registry }
})
afterEach(async () => {
  await registry.close()
})

describe('a release', () => {
  it('is pulled as it was published: images, manifests and revision', async () => {
    const published = await publishRelease(content, place, signal)
    const pulled = await pullRelease(published.reference, signal)
    expect({ ...pulled, manifests: new Map(pulled.manifests) }).toEqual(published)
  })

  it('has the same digest for the same inputs, in whatever order', async () => {
    const published = await publishRelease(content, place, signal)
    const again = {
      ...content,
      manifests: new Map([...manifests].reverse()),
      images: { version: 1, images: { database, backend } },
    } as const
    expect((await publishRelease(again, place, signal)).digest).toBe(published.digest)
  })

  it.each([
    { name: 'a manifest', other: { manifests: new Map([['base/x.yaml', Buffer.from('y')]]) } },
    { name: 'an image', other: { images: { version: 1, images: { backend } } } as const },
    { name: 'the commit', other: { revision: 'decade' } },
  ])('has another digest where $name differs', async ({ other }) => {
    const published = await publishRelease(content, place, signal)
    const changed = await publishRelease({ ...content, ...other }, place, signal)
    expect(changed.digest).not.toBe(published.digest)
  })

  it('is refused where the registry altered its content', async () => {
    const { reference } = await publishRelease(content, place, signal)
    for (const [key, blob] of registry.blobs)
      if (blob.length > 2) registry.blobs.set(key, Buffer.concat([blob, Buffer.from('!')]))
    await expect(pullRelease(reference, signal)).rejects.toThrow('refused')
  })

  it('is refused where it is something else', async () => {
    const other = { type: 'text/poem', mediaType: 'text/plain', content: Buffer.from('Oh') }
    const repository = openRepository(place, signal)
    const poem = await pushArtifact({ ...other, annotations: {} }, repository)
    const reference = `${place.registry}/${place.repository}@${poem.digest}`
    await expect(pullRelease(reference, signal)).rejects.toThrow('is no release (it is text/poem)')
  })

  it('is not in the registry: the message says where its name comes from', async () => {
    const reference = `${place.registry}/${place.repository}@${digest}`
    await expect(pullRelease(reference, signal)).rejects.toThrow(
      'the release output of build-images',
    )
  })
})

describe('the evidence about a release', () => {
  it('is read oldest first, one kind at a time', async () => {
    const release = await publishRelease(content, place, signal)
    const about = { at: '2026-11-21T12:00:00Z', signal }
    await addEvidence(release, 'verdict', { ...about, predicate: { verdict: 'pass' } })
    await addEvidence(release, 'promotion', { ...about, predicate: { to: 'staging' } })
    await addEvidence(release, 'verdict', { ...about, predicate: { verdict: 'fail' } })
    expect(await readEvidence(release, 'verdict', signal)).toEqual([
      { verdict: 'pass' },
      { verdict: 'fail' },
    ])
  })

  it('that speaks of another release is refused', async () => {
    const release = await publishRelease(content, place, signal)
    const other = await publishRelease({ ...content, revision: 'decade' }, place, signal)
    const forged = { ...release, digest: other.digest }
    const predicate = { verdict: 'pass' }
    await addEvidence(forged, 'verdict', { predicate, at: '', signal })
    await expect(readEvidence(release, 'verdict', signal)).rejects.toThrow(
      'speaks of another release; refused',
    )
  })
})

describe('the manifest tree of a release', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tree-'))
    await mkdir(join(folder, 'base'))
    await writeFile(join(folder, 'base/a.yaml'), 'a')
  })
  afterEach(async () => {
    await rm(folder, { recursive: true })
  })

  it('is read with paths relative to it', async () => {
    expect(new Map(await readManifests(folder))).toEqual(
      new Map([['base/a.yaml', Buffer.from('a')]]),
    )
  })

  it('is refused where it holds a link', async () => {
    await symlink('/etc/passwd', join(folder, 'base/b.yaml'))
    await expect(readManifests(folder)).rejects.toThrow('base/b.yaml is a link')
  })

  it('is refused where a file is too large to be a manifest', async () => {
    await writeFile(join(folder, 'dump.sql'), Buffer.alloc(1024 * 1024 + 1))
    await expect(readManifests(folder)).rejects.toThrow('dump.sql has 1048577 bytes')
  })
})
