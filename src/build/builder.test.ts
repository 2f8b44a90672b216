import { afterAll, beforeEach, describe, expect, it } from '@jest/globals'
import { fakeWorld } from '../../tests/fakes/world.ts'
import { readBuilder, readMirrors } from './builder.ts'

const node = { Version: 'v0.33.1', Platforms: ['linux/amd64', 'linux/386'] }

function ask(name: string, builders: readonly object[]): ReturnType<typeof readBuilder> {
  const stdout = builders.map((builder) => JSON.stringify(builder)).join('\n')
  const run = () => Promise.resolve({ status: 0, stdout, stderr: '' })
  return readBuilder(name, fakeWorld({ run }))
}

const { BUILDX_BUILDER } = process.env
beforeEach(() => {
  delete process.env['BUILDX_BUILDER']
})
afterAll(() => {
  if (BUILDX_BUILDER !== undefined) process.env['BUILDX_BUILDER'] = BUILDX_BUILDER
})

describe('a builder', () => {
  it('is the named one, else that of the environment, else the current one', async () => {
    const builders = [
      { Name: 'a', Current: false, Nodes: [node] },
      { Name: 'b', Current: true, Nodes: [{ ...node, Version: 'v0.32.0' }] },
    ]
    expect((await ask('a', builders))?.version).toBe('v0.33.1')
    expect((await ask('', builders))?.version).toBe('v0.32.0')
    process.env['BUILDX_BUILDER'] = 'a'
    expect((await ask('', builders))?.version).toBe('v0.33.1')
    expect((await ask('b', builders))?.version).toBe('v0.32.0')
  })

  it.each([
    { name: 'of several nodes', builders: [{ Name: 'a', Nodes: [node, node] }] },
    { name: 'that is not running', builders: [{ Name: 'a', Nodes: [{ Version: '' }] }] },
    { name: 'that is not there', builders: [] },
  ])('$name can not be relied on', async ({ builders }) => {
    expect(await ask('a', builders)).toBeUndefined()
  })
})

describe('the mirrors of a builder', () => {
  it.each([
    {
      name: 'as buildx writes them',
      toml: "[registry]\n[registry.'docker.io']\nmirrors = ['a:1', 'b']\n[worker]\nx = 1",
    },
    { name: 'as people write them', toml: '[registry."docker.io"]\n  mirrors = ["a:1","b"]' },
  ])('are read $name', ({ toml }) => {
    expect([...readMirrors(toml)]).toEqual([['docker.io', ['a:1', 'b']]])
  })
})
