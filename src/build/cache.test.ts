import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type FakeRegistry, openFakeRegistry } from '../../tests/fakes/registry.ts'
import { fakeWorld } from '../../tests/fakes/world.ts'
import type { BakeTarget } from './bakeplan.ts'
import { cachePlaces, findCaches } from './cache.ts'
import { type Branches, cacheTag, readableBranches, writableBranch } from './cachetag.ts'

const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/
const push: Branches = { own: 'feature/x', base: '', main: 'main', mayWrite: true }
const pull: Branches = { own: 'feature/x', base: 'next', main: 'main', mayWrite: false }

function target(name: string, resolved: BakeTarget['resolved'] = {}): BakeTarget {
  return { name, context: '.', dockerfile: 'Dockerfile', contexts: {}, args: {}, resolved }
}

describe('the tag of a cache', () => {
  const named = (branch: string, name = 'api', platform = 'linux/amd64') =>
    cacheTag({ target: name, platform, branch })

  it('can be read', () => {
    expect(named('feature/x')).toMatch(/^api-linux-amd64-feature-x-[0-9a-f]{16}$/)
  })

  it.each([
    ['feature/x', 'feature-x'],
    ['FIX', 'fix'],
    ['ä', 'ö'],
    [`${'long/'.repeat(60)}a`, `${'long/'.repeat(60)}b`],
  ])('is valid, and another one, for the branches %s and %s', (one, other) => {
    for (const branch of [one, other]) expect(named(branch)).toMatch(TAG)
    expect(named(one)).not.toBe(named(other))
  })

  it('tells apart targets and platforms that join to the same text', () => {
    expect(named('b', 'a-linux', 'amd64')).not.toBe(named('b', 'a', 'linux/amd64'))
    expect(named('b', '-a')).toMatch(TAG)
  })
})

describe('the branches of a cache', () => {
  it('are read from the nearest to the main one, each once', () => {
    expect(readableBranches(pull)).toEqual(['feature/x', 'next', 'main'])
    expect(readableBranches({ ...push, own: 'main' })).toEqual(['main'])
    expect(readableBranches({ ...push, own: '' })).toEqual(['main'])
  })

  it('are written by what is accepted only', () => {
    expect(writableBranch(push)).toBe('feature/x')
    expect(writableBranch(pull)).toBeUndefined()
    expect(writableBranch({ ...push, own: '' })).toBeUndefined()
  })
})

describe('where layers are kept', () => {
  const platformsOf = () => ['linux/amd64', 'linux/arm64']
  const targets = [target('api'), target('web', { 'cache-to': [{ type: 'gha' }] })]

  it('is a place for each image and platform; a cache of the bake file stays what it is', () => {
    const cache = { repository: 'ghcr.io/todo/cache', branches: push }
    const places = cachePlaces(targets, { cache, platformsOf })
    expect(places.map(({ name, platform }) => `${name} ${platform}`)).toEqual([
      'api linux/amd64',
      'api linux/arm64',
    ])
  })

  it('is nowhere for a pull request, and without a cache', () => {
    const cache = { repository: 'ghcr.io/todo/cache', branches: pull }
    expect(cachePlaces(targets, { cache, platformsOf })).toEqual([])
    expect(cachePlaces(targets, { cache: 'none', platformsOf })).toEqual([])
  })
})

describe('looking for caches', () => {
  let registry: FakeRegistry
  let broken: FakeRegistry
  const platformsOf = () => ['linux/amd64']
  const tag = (branch: string) => cacheTag({ target: 'api', platform: 'linux/amd64', branch })
  const put = (branch: string, type: string) => {
    const content = { schemaVersion: 2, config: { mediaType: type }, layers: [] }
    const bytes = Buffer.from(JSON.stringify(content))
    const mediaType = 'application/vnd.oci.image.manifest.v1+json'
    registry.manifests.set(`todo/cache/${tag(branch)}`, { mediaType, bytes })
  }
  const find = async (where: string, world = fakeWorld()) => {
    const cache = { repository: `${where}/todo/cache`, branches: pull }
    const { sources, answers } = await findCaches([target('api')], { cache, platformsOf }, world)
    return { found: sources, answers, world }
  }

  beforeAll(async () => {
    registry = await openFakeRegistry()
    broken = await openFakeRegistry(() => ({ status: 503 }))
    put('next', 'application/vnd.oci.image.config.v1+json')
    put('main', 'application/vnd.buildkit.cacheconfig.v0')
  })
  afterAll(async () => {
    await registry.close()
    await broken.close()
  })

  it('finds those that are there, and leaves out what is no cache', async () => {
    const { found, world } = await find(registry.registry)
    expect(found.get('api')).toEqual([`${registry.registry}/todo/cache:${tag('main')}`])
    expect(world.said).toEqual([])
  })

  it('says that a registry does not answer, and goes on', async () => {
    const { found, answers, world } = await find(broken.registry)
    expect(found.size).toBe(0)
    expect(answers).toBe(false)
    expect(world.said).toEqual([expect.stringMatching(/^The build cache can't be read.*503/)])
  })
})
