import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { gather } from '../../src/registry/digest.ts'
import { pullLayout, pushLayout } from '../../src/registry/layout.ts'
import { newRun } from './client.ts'
import { type Distribution, startDistribution, type Version } from './distribution.ts'
import { makeImage, MEGABYTE, newBlob } from './image.ts'
import { openProxy, type Proxy } from './proxy.ts'

const SIZE = 64 * MEGABYTE
const CUTS = [40 * MEGABYTE, 52 * MEGABYTE]
/** What was on the way when the line broke, twice. From the beginning each time it would be 52 more than the blob. */
const LOST = 26 * MEGABYTE
const VERSIONS: readonly Version[] = ['v2', 'v3']
/** distribution 2 forgets an upload whose line broke: it begins anew, and must arrive all the same. */
const RESENT = { v2: 52 * MEGABYTE + LOST, v3: LOST } as const

describe.each(VERSIONS)('a line to distribution %s that breaks', (version) => {
  let registry: Distribution
  let proxy: Proxy
  beforeAll(async () => {
    registry = await startDistribution(version, 'open')
  })
  afterAll(async () => {
    await registry.stop()
  })

  const through = async <T>(work: () => Promise<T>): Promise<T> => {
    proxy = await openProxy(registry.registry)
    try {
      return await work()
    } finally {
      await proxy.stop()
    }
  }

  it('in the middle of an upload: it goes on where the registry says', async () => {
    await through(async () => {
      const blob = newBlob(SIZE)
      proxy.cuts.up.push(...CUTS)
      expect(await newRun().open(proxy.registry, 'todo/up').putBlob(blob)).toBe('written')
      expect(proxy.cuts.up).toEqual([])
      expect(proxy.counted.up).toBeLessThan(SIZE + RESENT[version])
      const there = newRun().open(registry.registry, 'todo/up')
      expect((await there.getBlob(blob.digest, SIZE)).equals(blob.bytes)).toBe(true)
    })
  })

  it('in the middle of a download: it goes on where it was', async () => {
    await through(async () => {
      const blob = newBlob(SIZE)
      await newRun().open(registry.registry, 'todo/down').putBlob(blob)
      proxy.cuts.down.push(...CUTS)
      const there = newRun().open(proxy.registry, 'todo/down')
      const bytes = await gather(there.readBlob(blob), SIZE, 'the blob')
      expect(bytes.equals(blob.bytes)).toBe(true)
      expect(proxy.cuts.down).toEqual([])
      expect(proxy.counted.down).toBeLessThan(SIZE + LOST)
    })
  })

  it('for good: nothing is published, and the way out is named', async () => {
    await through(async () => {
      const image = await makeImage()
      proxy.cuts.up.push(...Array.from({ length: 50 }, (_, n) => (n + 1) * 50_000))
      const there = newRun().open(proxy.registry, 'todo/never')
      await expect(pushLayout(image, there)).rejects.toThrow(/cut the connection; run again/)
      const direct = newRun().open(registry.registry, 'todo/never')
      expect(await direct.getManifest(image.root.digest)).toBeUndefined()
      await rm(image.folder, { recursive: true })
    })
  })

  it('for good while an image is pulled: no half of a blob is left', async () => {
    await through(async () => {
      const image = await makeImage()
      await pushLayout(image, newRun().open(registry.registry, 'todo/half'))
      proxy.cuts.down.push(...Array.from({ length: 200 }, (_, n) => 20_000 + n * 30_000))
      const folder = await mkdtemp(join(tmpdir(), 'half-'))
      const there = newRun().open(proxy.registry, 'todo/half')
      await expect(pullLayout(image.root.digest, there, folder)).rejects.toThrow(
        /cut the connection; run again/,
      )
      const names = await readdir(folder, { recursive: true })
      expect(names.filter((name) => name.includes('unfinished') || name === 'index.json')).toEqual(
        [],
      )
      for (const used of [folder, image.folder]) await rm(used, { recursive: true })
    })
  })
})

describe('images that share a layer', () => {
  let registry: Distribution
  let proxy: Proxy
  beforeAll(async () => {
    registry = await startDistribution('v3', 'open')
    proxy = await openProxy(registry.registry)
  })
  afterAll(async () => {
    await proxy.stop()
    await registry.stop()
  })

  it('send it once, even when they are pushed at the same time', async () => {
    const base = newBlob(8 * MEGABYTE)
    const images = await Promise.all([makeImage(base.bytes), makeImage(base.bytes)])
    const run = newRun()
    await Promise.all(
      images.map((image, n) => pushLayout(image, run.open(proxy.registry, `todo/image-${n}`))),
    )
    for (const { folder } of images) await rm(folder, { recursive: true })
    expect(proxy.counted.up).toBeLessThan(base.size + 2 * MEGABYTE)
  })
})
