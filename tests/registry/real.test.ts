import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { type LayoutImage, pullLayout, pushLayout, storedSize } from '../../src/registry/layout.ts'
import type { SessionSettings } from '../../src/registry/session.ts'
import { newRun, type Run } from './client.ts'
import { type Distribution, type Guard, startDistribution, type Version } from './distribution.ts'
import { blobsIn, makeImage, newBlob } from './image.ts'
import { IDENTITY } from './issuer.ts'

const VERSIONS: readonly Version[] = ['v2', 'v3']
const GUARDS: readonly Guard[] = ['open', 'basic', 'token', 'tls']
const table = VERSIONS.flatMap((version) => GUARDS.map((guard) => ({ version, guard })))

let image: LayoutImage
beforeAll(async () => {
  image = await makeImage()
})
afterAll(async () => {
  await rm(image.folder, { recursive: true })
})

function settingsFor({ registry, dockerConfig, certificate }: Distribution): SessionSettings {
  return {
    dockerConfig,
    ...(certificate === undefined
      ? {}
      : { ca: certificate.authority, schemes: { [registry]: 'https' } }),
  }
}

describe.each(table)('distribution $version, guard: $guard', ({ version, guard }) => {
  let registry: Distribution
  let run: Run
  beforeAll(async () => {
    registry = await startDistribution(version, guard)
    run = newRun(settingsFor(registry))
  })
  afterAll(async () => {
    await registry.stop()
  })

  it('takes an image of two platforms, and gives back the very same bytes', async () => {
    const repository = run.open(registry.registry, 'todo/backend')
    await pushLayout(image, repository)
    expect(await storedSize(image.root.digest, repository)).toBe(image.size)
    const folder = await mkdtemp(join(tmpdir(), 'pulled-'))
    try {
      const pulled = await pullLayout(image.root.digest, repository, folder)
      expect(pulled).toEqual({ ...image, folder })
      expect(await blobsIn(folder)).toEqual(await blobsIn(image.folder))
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('is not sent a second time what it has', async () => {
    const repository = newRun(settingsFor(registry)).open(registry.registry, 'todo/present')
    const blob = newBlob(1000)
    expect(await repository.putBlob(blob)).toBe('written')
    const later = newRun(settingsFor(registry)).open(registry.registry, 'todo/present')
    expect(await later.putBlob(blob)).toBe('present')
  })

  it('mounts what another repository has', async () => {
    const blob = newBlob(1000)
    await run.open(registry.registry, 'todo/one').putBlob(blob)
    const other = run.open(registry.registry, 'todo/two')
    expect(await other.putBlob(blob)).toBe('mounted')
    expect(await other.getBlob(blob.digest, 1000)).toEqual(blob.bytes)
  })

  it('has no manifest that nobody pushed', async () => {
    expect(await run.open(registry.registry, 'todo/nobody').getManifest('v1')).toBeUndefined()
  })
})

describe.each(VERSIONS)('distribution %s that wants a login', (version) => {
  const opened: Distribution[] = []
  const start = async (guard: Guard): Promise<Distribution> => {
    const registry = await startDistribution(version, guard)
    opened.push(registry)
    return registry
  }
  afterEach(async () => {
    for (const registry of opened.splice(0)) await registry.stop()
  })

  it('is named, with the command that logs in, where there is none', async () => {
    const { registry } = await start('basic')
    const repository = newRun().open(registry, 'todo/backend')
    await expect(repository.putBlob(newBlob(10))).rejects.toThrow(
      `publishing to ${registry}/todo/backend: it wants a login (401): run "docker login ${registry}"`,
    )
  })

  it('refuses a wrong one', async () => {
    const registry = await start('basic')
    await logIn(registry, { auth: Buffer.from('ann:wrong').toString('base64') })
    const repository = newRun(settingsFor(registry)).open(registry.registry, 'todo/backend')
    await expect(repository.putBlob(newBlob(10))).rejects.toThrow('the login is not accepted (401)')
  })

  it('has an issuer that refuses a wrong one', async () => {
    const registry = await start('token')
    await logIn(registry, { auth: Buffer.from('ann:wrong').toString('base64') })
    const repository = newRun(settingsFor(registry)).open(registry.registry, 'todo/backend')
    await expect(repository.putBlob(newBlob(10))).rejects.toThrow('does not accept the login (401)')
  })

  it('is given tokens for an identity token', async () => {
    const registry = await start('token')
    await logIn(registry, { identitytoken: IDENTITY })
    const repository = newRun(settingsFor(registry)).open(registry.registry, 'todo/backend')
    expect(await repository.putBlob(newBlob(10))).toBe('written')
    expect(registry.issuer?.asked.map(({ method }) => method)).toEqual(['POST'])
  })

  it('is given a new token when the old one ends before its time, in the middle of a push', async () => {
    const registry = await start('token')
    const { issuer } = registry
    if (issuer !== undefined) issuer.life = 3
    const repository = newRun(settingsFor(registry)).open(registry.registry, 'todo/backend')
    const blob = newBlob(1000)
    const slowly = async function* () {
      yield blob.bytes.subarray(0, 500)
      await new Promise((resolve) => setTimeout(resolve, 3200))
      yield blob.bytes.subarray(500)
    }
    expect(await repository.putBlob({ ...blob, open: slowly })).toBe('written')
    expect(await repository.putBlob(newBlob(10))).toBe('written')
    const scope = 'repository:todo/backend:pull,push'
    expect(issuer?.asked.map(({ scopes }) => scopes)).toEqual([[scope], [scope]])
  })
})

async function logIn({ registry, dockerConfig }: Distribution, login: object): Promise<void> {
  const config = JSON.stringify({ auths: { [registry]: login } })
  await writeFile(join(dockerConfig, 'config.json'), config)
}

describe('distribution with TLS of an unknown authority', () => {
  let registry: Distribution
  beforeAll(async () => {
    registry = await startDistribution('v3', 'tls')
  })
  afterAll(async () => {
    await registry.stop()
  })

  it('is refused, and the way to make it known is named', async () => {
    const run = newRun({ schemes: { [registry.registry]: 'https' } })
    await expect(run.open(registry.registry, 'todo/backend').getManifest('v1')).rejects.toThrow(
      /shows a certificate of an authority that is not known here; .*NODE_EXTRA_CA_CERTS/,
    )
  })

  it('is refused where plain HTTP is spoken to it', async () => {
    const there = newRun().open(registry.registry, 'todo/backend')
    await expect(there.getManifest('v1')).rejects.toThrow('it wants TLS (400)')
  })
})
