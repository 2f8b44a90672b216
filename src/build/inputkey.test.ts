import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { BakeTarget } from './bakeplan.ts'
import type { Base } from './bases.ts'
import {
  explainChange,
  inputKeyOf,
  type InputKey,
  type KeyOfTarget,
  readSources,
} from './inputkey.ts'

const builder = { version: 'v0.33.1', platform: 'linux/amd64', mirrors: new Map() }
const python: Base = { digest: `sha256:${'1'.repeat(64)}` }
let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'key-'))
  await mkdir(join(folder, 'api'))
  await writeFile(join(folder, 'api', 'Dockerfile'), 'ARG BASE=python:3\nFROM ${BASE}\nCOPY . .\n')
  await writeFile(join(folder, 'api', 'main.py'), 'print()')
})
afterEach(() => rm(folder, { recursive: true }))

async function keyOf(
  of: Partial<BakeTarget> = {},
  by: {
    bases?: [string, Base][]
    platforms?: string[]
    reproducible?: boolean
    version?: string
    parents?: [string, KeyOfTarget][]
  } = {},
): Promise<KeyOfTarget> {
  const target = {
    name: 'api',
    context: 'api',
    dockerfile: 'Dockerfile',
    contexts: {},
    args: {},
    resolved: {},
    ...of,
  }
  const sources = await readSources(target, folder)
  return inputKeyOf(sources, {
    bases: new Map(by.bases ?? [['python:3', python]]),
    builder: { ...builder, version: by.version ?? builder.version },
    platforms: by.platforms ?? [],
    reproducible: by.reproducible ?? false,
    parents: new Map(by.parents ?? []),
  })
}

async function certain(...how: Parameters<typeof keyOf>): Promise<InputKey> {
  const key = await keyOf(...how)
  if ('doubts' in key) throw new Error(key.doubts.join('; '))
  return key
}

describe('an input key', () => {
  it('is the same for the same inputs, wherever they are and whatever the tags', async () => {
    const first = await certain()
    expect(await certain({ resolved: { tags: ['x:1'], output: ['type=oci'] } })).toEqual(first)
    expect(await certain({}, { platforms: ['linux/amd64'] })).toEqual(first)
  })

  it.each([
    {
      name: 'a base',
      how: [{}, { bases: [['python:3', { digest: `sha256:${'2'.repeat(64)}` }]] }],
      says: 'base python:3 changed',
    },
    { name: 'an argument', how: [{ args: { MODE: 'x' } }], says: 'argument MODE is new' },
    { name: 'the times of its files', how: [{}, { reproducible: true }], says: 'form changed' },
    { name: 'the platforms', how: [{}, { platforms: ['linux/arm64'] }], says: 'platforms changed' },
    { name: 'BuildKit', how: [{}, { version: 'v0.34.0' }], says: 'builder changed' },
    { name: 'a label', how: [{ resolved: { labels: { a: 'b' } } }], says: 'setting labels is new' },
  ] as { name: string; how: Parameters<typeof keyOf>; says: string }[])(
    'is another one where $name is',
    async ({ how, says }) => {
      const [before, now] = [await certain(), await certain(...how)]
      expect(now.digest).not.toBe(before.digest)
      expect(explainChange(before.inputs, now.inputs)).toBe(says)
    },
  )

  it('is another one where a file is, and says which', async () => {
    const before = await certain()
    await writeFile(join(folder, 'api', 'main.py'), 'print(1)')
    await writeFile(join(folder, 'api', 'new.py'), '')
    const now = await certain()
    expect(explainChange(before.inputs, now.inputs)).toBe(
      'file main.py changed, file new.py is new',
    )
  })

  it('is another one where the Dockerfile is, which is told once', async () => {
    const before = await certain()
    await writeFile(join(folder, 'api', 'Dockerfile'), 'FROM python:3\nCOPY . .\n')
    const bases: [string, Base][] = [['python:3', python]]
    const now = await certain({}, { bases })
    expect(explainChange(before.inputs, now.inputs)).toBe('Dockerfile changed')
    await chmod(join(folder, 'api', 'Dockerfile'), 0o755)
    const stricter = await certain({}, { bases })
    expect(explainChange(now.inputs, stricter.inputs)).toBe('file Dockerfile changed')
  })

  it('holds the key of a parent and the files of a named context', async () => {
    const contexts = { base: 'target:base', more: 'more' }
    await mkdir(join(folder, 'more'))
    await writeFile(join(folder, 'more', 'x'), '')
    const parent = await certain({ name: 'base' })
    const key = await certain({ contexts }, { parents: [['base', parent]] })
    expect(key.inputs['parent base']).toBe(parent.digest)
    expect(key.inputs['file more:x']).toMatch(/^file /)
  })

  it('does not hold the value of an argument', async () => {
    const { inputs } = await certain({ args: { MODE: 'hunter2' } })
    expect(JSON.stringify(inputs)).not.toContain('hunter2')
  })

  it.each([
    {
      name: 'a base that no registry knows',
      how: [{}, { bases: [['python:3', { doubt: 'not there' }]] }],
      says: 'not there',
    },
    {
      name: 'a context from git',
      how: [{ context: 'https://example.org/a.git' }],
      says: 'is not a folder here',
    },
    {
      name: 'a named context from elsewhere',
      how: [{ contexts: { a: 'https://example.org/a.git' } }],
      says: 'its context a is',
    },
    {
      name: 'a parent in doubt',
      how: [{ contexts: { b: 'target:b' } }, { parents: [['b', { doubts: ['x'] }]] }],
      says: 'its parent b',
    },
    {
      name: 'a Dockerfile that is not there',
      how: [{ dockerfile: 'Other' }],
      says: 'not a folder here',
    },
  ] as { name: string; how: Parameters<typeof keyOf>; says: string }[])(
    'is in doubt with $name',
    async ({ how, says }) => {
      expect(await keyOf(...how)).toEqual({ doubts: [expect.stringContaining(says)] })
    },
  )
})

describe('why an image is built', () => {
  it('names three changes and counts the others', () => {
    const now = { a: '1', b: '1', c: '1', d: '1', e: '1' }
    expect(explainChange({ f: '1' }, now)).toBe('a is new, b is new, c is new, and 3 more')
  })
})
