import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { fakeWorld } from '../../tests/fakes/world.ts'
import { sha256 } from '../registry/digest.ts'
import { blobPath } from '../registry/layout.ts'
import { type Database, sbomPath } from '../scan/scanner.ts'
import type { Program } from '../world.ts'
import { openScans, SCANS_AT_ONCE } from './scans.ts'

/** The descriptor of a configuration without a byte. */
const EMPTY = {
  mediaType: 'application/vnd.oci.image.config.v1+json',
  digest: sha256(Buffer.alloc(0)),
  size: 0,
}
const digestOf = (digit: string) => `sha256:${digit.repeat(64)}`
const database = { folder: 'db', built: '', checksum: 'c', ageDays: 0, scanner: '1' }

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'todo-deploy-scans-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A cache folder of its own, in which the SBOMs of these images are known. */
async function cacheWith(...digits: readonly string[]): Promise<string> {
  const cacheFolder = await mkdtemp(join(folder, 'cache-'))
  for (const digit of digits) {
    const file = sbomPath(digestOf(digit), cacheFolder)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, '{}')
  }
  return cacheFolder
}

/** grype, which finds nothing, and how often it was asked; `fail` is what it can't read. */
function grype(fail = 'nothing') {
  const asked: string[] = []
  const run = ({ argv }: Program) => {
    asked.push(argv.join(' '))
    const status = argv.join(' ').includes(fail) ? 1 : 0
    return Promise.resolve({ status, stdout: '{"matches":[]}', stderr: 'no' })
  }
  return { asked, run }
}

/** What syft does: an empty SBOM in every form it was asked for. */
async function writeSbom(argv: readonly string[]) {
  for (const out of argv.filter((one) => /^s(yft|pdx)-json=/.test(one)))
    await writeFile(out.slice('xxxx-json='.length), '{}')
  return { status: 0, stdout: '', stderr: '' }
}

const image = (name: string, digit: string) => ({
  name,
  digest: digestOf(digit),
  platforms: [{ platform: '', root: { mediaType: '', digest: digestOf(digit), size: 0 } }],
})

describe('the scans of a run', () => {
  it('are begun one by one, and come sorted by name', async () => {
    const { asked, run } = grype()
    const by = { database: Promise.resolve(database), cacheFolder: await cacheWith('1', '2', '3') }
    const scans = openScans(by, fakeWorld({ run }))
    for (const [name, digit] of [
      ['web', '1'],
      ['api', '2'],
      ['db', '3'],
    ] as const)
      scans.begin(image(name, digit))
    expect((await scans.all()).map((scan) => scan.image)).toEqual(['api', 'db', 'web'])
    expect(asked).toHaveLength(3)
  })

  it('look once at the same bytes, and again at others of the same name', async () => {
    const { asked, run } = grype()
    const by = { database: Promise.resolve(database), cacheFolder: await cacheWith('1', '2') }
    const scans = openScans(by, fakeWorld({ run }))
    scans.begin(image('api', '1'))
    scans.begin(image('api', '1'))
    scans.begin(image('api', '2'))
    const [scan, ...more] = await scans.all()
    expect(scan?.digest).toBe(digestOf('2'))
    expect(more).toEqual([])
    expect(asked.filter((argv) => argv.includes('1'.repeat(64))).length).toBeLessThan(2)
  })

  it('take the largest first of those that wait, so that none runs alone in the end', async () => {
    const sizes = [1, 0.5, 1, 0.5, 3, 5, 2, 4]
    const [begun, ends]: [string[], (() => void)[]] = [[], []]
    const run = async ({ argv }: Program) => {
      if (!argv.includes('scan')) return { status: 0, stdout: '{"matches":[]}', stderr: '' }
      begun.push(argv[argv.indexOf('--source-name') + 1] ?? '')
      await new Promise<void>((end) => ends.push(end))
      return await writeSbom(argv)
    }
    const by = { database: Promise.resolve(database), cacheFolder: await cacheWith() }
    const scans = openScans(by, fakeWorld({ run }))
    for (const [at, size] of sizes.entries()) {
      const root = { mediaType: '', digest: digestOf(String(at)), size: 2 }
      scans.begin({ name: `of ${size}`, digest: root.digest, layout: { folder, root, size } })
    }
    // As many at once as there are processors; then one for each that ends.
    const atOnce = SCANS_AT_ONCE
    for (let count = atOnce; count <= sizes.length; count += 1) {
      while (begun.length < count) await new Promise((resolve) => setTimeout(resolve, 1))
      expect(begun).toHaveLength(count)
      ends.shift()?.()
    }
    for (const end of ends) end()
    await scans.all()
    const rest = sizes.slice(atOnce).sort((a, b) => b - a)
    expect(begun.slice(atOnce)).toEqual(rest.map((size) => `of ${size}`))
  })

  const share = (scans: number) =>
    String(Math.max(Math.floor(availableParallelism() / Math.min(scans, SCANS_AT_ONCE)), 1))
  it.each([
    { images: 1, begun: ['1'], each: [undefined] },
    { images: 9, begun: ['1', '2'], each: [share(9), share(8)] },
    { images: 2, begun: ['1', '2'], each: [share(2), undefined] },
  ])('share the processors as long as there are several: $images', async ({ images, ...one }) => {
    const given: (string | undefined)[] = []
    const run = async ({ argv, env }: Program) => {
      if (!argv.includes('scan')) return { status: 0, stdout: '{"matches":[]}', stderr: '' }
      given.push(env?.['GOMAXPROCS'])
      return await writeSbom(argv)
    }
    const by = { database: Promise.resolve(database), cacheFolder: await cacheWith() }
    const scans = openScans(by, fakeWorld({ run }))
    scans.expect(images)
    for (const digit of one.begun) {
      const root = { mediaType: '', digest: digestOf(digit), size: 2 }
      scans.begin({ name: `of ${digit}`, digest: root.digest, layout: { folder, root, size: 1 } })
      await scans.all()
    }
    expect(given).toEqual(one.each)
  })

  it('give the scanner the layers of an image unpacked', async () => {
    const layout = await mkdtemp(join(folder, 'layout-'))
    const manifest = Buffer.from('{"config":' + JSON.stringify(EMPTY) + ',"layers":[]}')
    const mediaType = 'application/vnd.oci.image.manifest.v1+json'
    const root = { mediaType, digest: sha256(manifest), size: manifest.length }
    await mkdir(join(layout, 'blobs', 'sha256'), { recursive: true })
    await writeFile(blobPath(layout, EMPTY.digest), '')
    await writeFile(blobPath(layout, root.digest), manifest)
    for (const file of ['oci-layout', 'index.json']) await writeFile(join(layout, file), '{}')
    const sources: string[] = []
    const run = async ({ argv }: Program) => {
      if (!argv.includes('scan')) return { status: 0, stdout: '{"matches":[]}', stderr: '' }
      sources.push(...argv.filter((one) => one.startsWith('oci-dir:')))
      return await writeSbom(argv)
    }
    const by = { database: Promise.resolve(database), cacheFolder: await cacheWith() }
    const workspace = join(folder, 'workspace')
    const scans = openScans(by, { ...fakeWorld({ run }), workspace })
    scans.begin({ name: 'api', digest: root.digest, layout: { folder: layout, root, size: 1 } })
    await scans.all()
    expect(sources).toEqual([expect.stringContaining(join(workspace, 'unpacked'))])
  })

  it('wait for the database with the findings only, and fail where there is none', async () => {
    const { asked, run } = grype()
    let refuse: (error: Error) => void = () => undefined
    const opening = new Promise<Database>((_resolve, reject) => (refuse = reject))
    opening.catch(() => undefined) // As for those who wait for nothing.
    const by = { database: opening, cacheFolder: await cacheWith('1') }
    const scans = openScans(by, fakeWorld({ run }))
    scans.begin(image('api', '1'))
    refuse(new Error('no database'))
    await expect(scans.all()).rejects.toThrow('no database')
    expect(asked).toEqual([])
  })

  it('fail as a whole where one image can not be scanned', async () => {
    const { run } = grype('2'.repeat(64))
    const by = { database: Promise.resolve(database), cacheFolder: await cacheWith('1', '2') }
    const scans = openScans(by, fakeWorld({ run }))
    scans.begin(image('api', '1'))
    scans.begin(image('web', '2'))
    await expect(scans.all()).rejects.toThrow('grype could not scan web; nothing was published')
  })
})
