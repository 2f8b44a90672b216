import { afterEach, describe, expect, it } from '@jest/globals'
import {
  type Asked,
  digestOf,
  type FakeRegistry,
  openFakeRegistry,
  type Reply,
} from '../../tests/fakes/registry.ts'
import { type Artifact, listReferrers, pullArtifact, pushArtifact } from './artifact.ts'
import { openRepository, type Repository } from './client.ts'

const TYPE = 'application/vnd.todo-deploy.verdict.v1+json'
const artifact: Artifact = {
  type: TYPE,
  mediaType: 'application/json',
  content: Buffer.from('{"verdict":"pass"}'),
  annotations: { at: 'noon' },
}

let registry: FakeRegistry | undefined
afterEach(async () => {
  await registry?.close()
})

async function open(intercept?: (asked: Asked) => Reply | undefined): Promise<Repository> {
  registry = await openFakeRegistry(intercept)
  const place = { registry: registry.registry, repository: 'todo/release' }
  return openRepository(place, new AbortController().signal)
}

describe('an artifact', () => {
  it('comes back as it was pushed', async () => {
    const repository = await open()
    const manifest = await pushArtifact(artifact, repository)
    const pulled = await pullArtifact(manifest.digest, repository)
    expect(pulled).toEqual({ ...artifact, manifest, digest: manifest.digest })
  })

  it('has the same digest whenever it is pushed', async () => {
    const repository = await open()
    const [first, second] = [
      await pushArtifact(artifact, repository),
      await pushArtifact(artifact, repository),
    ]
    expect(second).toEqual(first)
  })

  it('leaves no manifest where its push breaks midway', async () => {
    const broken = digestOf(artifact.content)
    const repository = await open(({ method, url }) =>
      method === 'PUT' && url.searchParams.get('digest') === broken ? { status: 400 } : undefined,
    )
    await expect(pushArtifact(artifact, repository)).rejects.toThrow('the registry answered 400')
    expect([...(registry?.manifests.keys() ?? [])]).toEqual([])
  })

  it('is refused where it is an image of several layers', async () => {
    const repository = await open()
    const layer = { mediaType: 'l', digest: digestOf('x'), size: 1 }
    await repository.putBlob({ ...layer, open: () => Buffer.from('x') })
    const bytes = Buffer.from(JSON.stringify({ layers: [layer, layer] }))
    const { digest } = await repository.putManifest('v1', { mediaType: 'm', bytes })
    await expect(pullArtifact(digest, repository)).rejects.toThrow('not an artifact of ours')
  })
})

describe('the artifacts about a subject', () => {
  it('are found under its fallback tag, in the order they were written and by type', async () => {
    const repository = await open()
    const subject = await pushArtifact(artifact, repository)
    const push = async (content: string, type = TYPE): Promise<string> => {
      const statement = { ...artifact, type, subject, content: Buffer.from(content) }
      return (await pushArtifact(statement, repository)).digest
    }
    const first = await push('1')
    await push('2', 'application/vnd.other')
    const third = await push('3')
    expect(await listReferrers(subject.digest, TYPE, repository)).toEqual([first, third])
    expect(registry?.manifests.has(`todo/release/${subject.digest.replace(':', '-')}`)).toBe(true)
  })

  it('are none where nobody said anything', async () => {
    expect(await listReferrers(digestOf('x'), TYPE, await open())).toEqual([])
  })

  it('are listed once, however often the same is pushed', async () => {
    const repository = await open()
    const subject = await pushArtifact(artifact, repository)
    for (const _time of [1, 2]) await pushArtifact({ ...artifact, subject }, repository)
    expect(await listReferrers(subject.digest, TYPE, repository)).toHaveLength(1)
  })

  it('are written into the list together where they come at once', async () => {
    let lists = 0
    const repository = await open(({ method, path }) => {
      if (method === 'PUT' && path.includes('/manifests/sha256-')) lists += 1
      return undefined
    })
    const subject = await pushArtifact(artifact, repository)
    const pushed = await Promise.all(
      ['1', '2', '3', '4', '4'].map((content) =>
        pushArtifact({ ...artifact, subject, content: Buffer.from(content) }, repository),
      ),
    )
    const found = await listReferrers(subject.digest, TYPE, repository)
    expect([...found].sort()).toEqual([...new Set(pushed.map(({ digest }) => digest))].sort())
    expect(lists).toBeLessThan(4)
  })

  it('keep those another writer put in the way', async () => {
    const subject = { mediaType: 'm', digest: digestOf('release'), size: 7 }
    const tag = `todo/release/${subject.digest.replace(':', '-')}`
    const other = { mediaType: 'm', digest: digestOf('other'), size: 5, artifactType: TYPE }
    let reads = 0
    const repository = await open(({ method, path }) => {
      if (method !== 'GET' || !path.endsWith(subject.digest.replace(':', '-'))) return undefined
      reads += 1
      // Between our first write and the look at it, somebody else replaces the list.
      if (reads === 2)
        registry?.manifests.set(tag, {
          mediaType: 'index',
          bytes: Buffer.from(JSON.stringify({ manifests: [other] })),
        })
      return undefined
    })
    const ours = await pushArtifact({ ...artifact, subject }, repository)
    expect(await listReferrers(subject.digest, TYPE, repository)).toEqual([
      other.digest,
      ours.digest,
    ])
  })
})
