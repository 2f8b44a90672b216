import { mkdtemp, rm, writeFile } from 'node:fs/promises'
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
import { openSession } from './session.ts'

const IMAGE = 'application/vnd.oci.image.manifest.v1+json'
const manifest = { mediaType: IMAGE, bytes: Buffer.from(`{"mediaType":"${IMAGE}"}`) }
const digest = digestOf(manifest.bytes)
const content = Buffer.from('hello')
const blob = { digest: digestOf(content), size: content.length, open: () => content }
const LIMIT = 1024

const opened: FakeRegistry[] = []
let configFolder = ''

async function open(intercept?: (asked: Asked) => Reply | undefined): Promise<FakeRegistry> {
  const registry = await openFakeRegistry(intercept)
  opened.push(registry)
  return registry
}

/** A repository in a run of its own, which is quick to try again. */
function repositoryIn({ registry }: FakeRegistry): Repository {
  const { signal } = new AbortController()
  openSession({ patience: { attempts: 4, firstPauseMs: 5 } }, signal)
  return openRepository({ registry, repository: 'todo/backend' }, signal)
}

async function logIn({ registry }: FakeRegistry): Promise<void> {
  const auth = Buffer.from('ann:secret').toString('base64')
  const config = JSON.stringify({ auths: { [registry]: { auth } } })
  await writeFile(join(configFolder, 'config.json'), config)
}

beforeEach(async () => {
  configFolder = await mkdtemp(join(tmpdir(), 'docker-config-'))
  process.env['DOCKER_CONFIG'] = configFolder
})

afterEach(async () => {
  delete process.env['DOCKER_CONFIG']
  await rm(configFolder, { recursive: true })
  for (const registry of opened.splice(0)) await registry.close()
})

describe('a repository', () => {
  it('gives back the bytes it was given, under their digest', async () => {
    const repository = repositoryIn(await open())
    expect(await repository.putBlob(blob)).toBe('written')
    expect(await repository.getBlob(blob.digest, LIMIT)).toEqual(content)
    expect(await repository.putManifest('v1', manifest)).toEqual({ digest, subject: undefined })
    expect(await repository.getManifest('v1')).toEqual({ ...manifest, digest })
  })

  it('does not send a blob that is there already', async () => {
    const registry = await open()
    await repositoryIn(registry).putBlob(blob)
    registry.asked.length = 0
    const later = repositoryIn(registry)
    for (const _time of [1, 2]) expect(await later.putBlob(blob)).toBe('present')
    expect(registry.asked.map(({ method }) => method)).toEqual(['HEAD'])
  })

  it('sends a blob again that is there with another size', async () => {
    const registry = await open(({ method }) =>
      method === 'HEAD' ? { status: 200, headers: { 'content-length': '3' } } : undefined,
    )
    expect(await repositoryIn(registry).putBlob(blob)).toBe('written')
  })

  it('does not send a blob whose bytes are not what its digest says', async () => {
    const registry = await open()
    const wrong = { ...blob, open: () => Buffer.from('jello') }
    await expect(repositoryIn(registry).putBlob(wrong)).rejects.toThrow(
      'has other bytes than its digest says',
    )
    expect(registry.blobs.size).toBe(0)
  })

  it('says nothing where a manifest is not there', async () => {
    expect(await repositoryIn(await open()).getManifest(digest)).toBeUndefined()
  })

  it.each([
    {
      name: 'a manifest with other bytes than its digest',
      reply: { status: 200, body: '{"other":true}' },
      read: (repository: Repository) => repository.getManifest(digest),
      says: /asked for sha256:.*; refused/,
    },
    {
      name: 'a manifest without end',
      reply: { status: 200, body: Buffer.alloc(5 * 1024 * 1024, ' ') },
      read: (repository: Repository) => repository.getManifest('v1'),
      says: /larger than 4194304 bytes; refused/,
    },
    {
      name: 'a manifest that is a page for people',
      reply: { status: 200, body: '<html>please log in</html>' },
      read: (repository: Repository) => repository.getManifest('v1'),
      says: /is not valid JSON/,
    },
    {
      name: 'a blob with other bytes than its digest',
      reply: { status: 200, body: 'jello' },
      read: (repository: Repository) => repository.getBlob(blob.digest, LIMIT),
      says: /are not what was asked for; refused/,
    },
    {
      name: 'a blob above the limit',
      reply: { status: 200, body: Buffer.alloc(LIMIT + 1) },
      read: (repository: Repository) => repository.getBlob(blob.digest, LIMIT),
      says: /larger than 1024 bytes; refused/,
    },
    {
      name: 'a refusal',
      reply: { status: 403, body: 'denied' },
      read: (repository: Repository) => repository.getManifest('v1'),
      says: /without a login there is no permission for it \(403\): run "docker login/,
    },
  ])('refuses $name', async ({ reply, read, says }) => {
    await expect(read(repositoryIn(await open(() => reply)))).rejects.toThrow(says)
  })
})

describe('a registry that stumbles', () => {
  it('is asked again where it has too much to do', async () => {
    const replies: Reply[] = [{ status: 429 }, { status: 503 }]
    const registry = await open(() => replies.shift())
    const repository = repositoryIn(registry)
    await repository.putManifest('v1', manifest)
    expect(registry.manifests.get('todo/backend/v1')).toEqual(manifest)
  })

  it('is given up in the end, with its own status in the message', async () => {
    const repository = repositoryIn(await open(() => ({ status: 500 })))
    await expect(repository.getManifest('v1')).rejects.toThrow('the registry answered 500')
  })

  it('that is not there is named', async () => {
    const registry = await open()
    await registry.close()
    await expect(repositoryIn(registry).getManifest('v1')).rejects.toThrow(
      `The registry ${registry.registry} can't be reached`,
    )
  })
})

describe('a registry that wants a login', () => {
  const BASIC = `Basic ${Buffer.from('ann:secret').toString('base64')}`
  const basicOnly = ({ authorization }: Asked): Reply | undefined =>
    authorization === BASIC
      ? undefined
      : { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } }

  it('is answered with that of Docker', async () => {
    const registry = await open(basicOnly)
    await logIn(registry)
    await repositoryIn(registry).putManifest('v1', manifest)
    expect(registry.manifests.has('todo/backend/v1')).toBe(true)
  })

  it('gets a token from its issuer, once for all calls', async () => {
    const issuer = await open(() => ({ status: 200, body: '{"token":"t1"}' }))
    const challenge = `Bearer realm="http://${issuer.registry}/token",service="r"`
    const registry = await open(({ authorization }) =>
      authorization === 'Bearer t1'
        ? undefined
        : { status: 401, headers: { 'www-authenticate': challenge } },
    )
    const repository = repositoryIn(registry)
    await repository.putBlob(blob)
    await repository.putManifest('v1', manifest)
    expect(issuer.asked).toHaveLength(1)
  })

  it('is named, with the command that logs in, where there is none', async () => {
    const registry = await open(basicOnly)
    await expect(repositoryIn(registry).getManifest('v1')).rejects.toThrow(
      `run "docker login ${registry.registry}"`,
    )
  })

  it('does not pass the login on to another host that takes the upload', async () => {
    const store = await open(() => ({ status: 201 }))
    const registry = await open((asked) => {
      if (asked.authorization !== BASIC) return basicOnly(asked)
      const location = `http://${store.registry}/store?signature=a%20b`
      if (asked.method === 'POST') return { status: 202, headers: { location } }
      const there = asked.method === 'HEAD' && store.asked.length > 0
      return there ? { status: 200 } : undefined
    })
    await logIn(registry)
    expect(await repositoryIn(registry).putBlob(blob)).toBe('written')
    expect(
      store.asked.map(({ method, url, authorization }) => [method, url.search, authorization]),
    ).toEqual([['PUT', `?signature=a%20b&digest=${encodeURIComponent(blob.digest)}`, undefined]])
  })
})
