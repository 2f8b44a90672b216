import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { aFinding } from '../../tests/fakes/findings.ts'
import { fakeWorld } from '../../tests/fakes/world.ts'
import type { Finding } from '../scan/findings.ts'
import { sbomPath } from '../scan/scanner.ts'
import type { Program } from '../world.ts'
import type { BaseFacts, BaseState } from './basefacts.ts'
import { compareBases } from './basefixes.ts'

const OLD = `sha256:${'1'.repeat(64)}`
const NEW = `sha256:${'2'.repeat(64)}`
const IMAGE = `sha256:${'3'.repeat(64)}`
const PLACE = '/usr/lib/python3/METADATA'
const database = { folder: 'db', built: '', checksum: 'c', ageDays: 0, scanner: '1' }

let cacheFolder: string

beforeAll(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'todo-deploy-bases-'))
  for (const digest of [OLD, NEW, IMAGE]) {
    const file = sbomPath(digest, cacheFolder)
    await mkdir(dirname(file), { recursive: true })
    const layers = [{ digest: 'sha256:base' }, { digest: 'sha256:own' }]
    await writeFile(file, JSON.stringify({ source: { metadata: { layers } } }))
  }
})
afterAll(() => rm(cacheFolder, { recursive: true }))

function state(digest: string, layers: readonly string[]): BaseState {
  const repository = { name: 'r/base' } as BaseState['repository']
  return { digest, image: digest, repository, created: new Date('2026-11-01T00:00:00Z'), layers }
}

const base: BaseFacts = {
  name: 'python:3.11',
  reference: `docker.io/library/python@${OLD}`,
  used: state(OLD, ['sha256:base']),
  newer: state(NEW, ['sha256:newer']),
  doubt: '',
}

/** grype, which finds in each state of the base what the test says. */
function grype(found: Readonly<Record<string, readonly (readonly [string, string])[]>>) {
  return ({ argv }: Program) => {
    const digest =
      Object.keys(found).find((one) => argv.join().includes(one.replace(':', '-'))) ?? ''
    const matches = (found[digest] ?? []).map(([id, path]) => ({
      vulnerability: { id },
      artifact: { name: 'p', locations: [{ path }] },
    }))
    return Promise.resolve({ status: 0, stdout: JSON.stringify({ matches }), stderr: '' })
  }
}

async function compare(
  facts: BaseFacts,
  findings: readonly Finding[],
  run: (program: Program) => Promise<{ status: number; stdout: string; stderr: string }>,
) {
  const target = { name: 'api', context: '.', dockerfile: '', contexts: {}, args: {}, resolved: {} }
  const survey = {
    keys: new Map(),
    sources: [{ target, images: [facts.name], doubts: [], inputs: {}, parents: [] }],
    bases: new Map(),
    mirrors: new Map(),
    platformsOf: () => ['linux/amd64'],
  }
  const sbom = { platform: '', digest: IMAGE, file: sbomPath(IMAGE, cacheFolder) }
  const sboms = [sbom] as const
  const scan = { image: 'api', digest: IMAGE, sboms, findings, history: [], cached: false }
  const what = { survey, facts: new Map([[facts.name, facts]]), scans: [scan] }
  // A database of its own: what one test has found is not known to the next.
  const by = { database: { ...database, checksum: `${Math.random()}` }, cacheFolder }
  const found = await compareBases(what, by, fakeWorld({ run }))
  return found.get('api')?.[0]
}

const found = (id: string, location = PLACE) => aFinding({ id, location })

describe('a newer base', () => {
  it('fixes the findings of the image that only the older one has', async () => {
    const run = grype({
      [OLD]: [
        ['A', PLACE],
        ['B', PLACE],
        ['Z', PLACE],
      ],
      [NEW]: [['B', '/x']],
    })
    const result = await compare(base, [found('A'), found('B'), found('C')], run)
    expect(result?.newer).toEqual({
      reference: `docker.io/library/python@${NEW}`,
      created: base.newer?.created,
      fixes: 1,
    })
    expect(result?.ageDays).toBe(20)
  })

  it('does not fix what the image has at a place of its own', async () => {
    const run = grype({ [OLD]: [['A', PLACE]] })
    expect((await compare(base, [found('A', '/app/p')], run))?.newer?.fixes).toBe(0)
  })

  it('fixes nothing in an image that only was built with it', async () => {
    const used = state(OLD, ['sha256:other'])
    const run = grype({ [OLD]: [['A', PLACE]] })
    expect((await compare({ ...base, used }, [found('A')], run))?.newer?.fixes).toBe(0)
  })

  it('that can not be scanned is said, and is no failure', async () => {
    const run = () => Promise.resolve({ status: 1, stdout: '', stderr: 'no' })
    const result = await compare(base, [found('A')], run)
    expect(result?.newer?.fixes).toBeUndefined()
    expect(result?.doubt).toMatch(/^how many findings the newer python:3.11 would fix is not known/)
  })

  it('is not looked for where there is none', async () => {
    const run = () => Promise.reject(new Error('nothing is scanned'))
    const result = await compare({ ...base, newer: undefined }, [found('A')], run)
    expect(result).toMatchObject({ newer: undefined, doubt: '' })
  })
})
