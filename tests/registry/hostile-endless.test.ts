import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { pullLayout } from '../../src/registry/layout.ts'
import { HASTY, newRun } from './client.ts'
import { openHostile, sendForEver, stopAll } from './hostile.ts'
import { digestOf, MEGABYTE } from './image.ts'

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

afterEach(stopAll)

describe('a registry that', () => {
  it('sends a manifest of ten gigabytes is left at the limit', async () => {
    const taken = { bytes: 0 }
    const { registry } = await openHostile((_, response) => {
      response.writeHead(200, { 'content-length': String(10_000 * MEGABYTE) })
      sendForEver(response, taken)
    })
    const there = newRun(HASTY).open(registry, 'todo/backend')
    await expect(there.getManifest('v1')).rejects.toThrow('is larger than 4194304 bytes; refused')
    // What the kernel holds between two processes is some megabytes more.
    expect(taken.bytes).toBeLessThan(32 * MEGABYTE)
  })

  it('explains itself without end is not listened to', async () => {
    const taken = { bytes: 0 }
    const { registry } = await openHostile((_, response) => {
      response.writeHead(403)
      sendForEver(response, taken)
    })
    const there = newRun(HASTY).open(registry, 'todo/backend')
    await expect(there.getManifest('v1')).rejects.toThrow('without a login there is no permission')
    expect(taken.bytes).toBeLessThan(32 * MEGABYTE)
  })

  it('speaks something else than HTTP is refused', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.end('SSH-2.0-OpenSSH_9.2\r\n')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const registry = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const there = newRun(HASTY).open(registry, 'todo/backend')
    await expect(there.getManifest('v1')).rejects.toThrow('does not speak HTTP as it should')
    server.close()
  })

  it('names a way out of the folder is refused, and nothing is written', async () => {
    const config = { mediaType: 'c', digest: 'sha256:../../../../tmp/owned', size: 2 }
    const bytes = Buffer.from(JSON.stringify({ mediaType: OCI_MANIFEST, config, layers: [] }))
    const { registry } = await openHostile((_, response) => response.end(bytes))
    const there = newRun(HASTY).open(registry, 'todo/backend')
    const folder = await mkdtemp(join(tmpdir(), 'owned-'))
    await expect(pullLayout(digestOf(bytes), there, folder)).rejects.toThrow(
      'has a digest that is not of sha256',
    )
    expect(await readdir(folder)).toEqual([])
    await rm(folder, { recursive: true })
  })

  it('asks to wait a second is given it', async () => {
    const bytes = Buffer.from(JSON.stringify({ mediaType: OCI_MANIFEST }))
    let asked = 0
    const { registry } = await openHostile((_, response) => {
      asked += 1
      if (asked === 1) response.writeHead(429, { 'retry-after': '1' }).end()
      else response.end(bytes)
    })
    const there = newRun({ patience: { firstPauseMs: 1 } }).open(registry, 'todo/backend')
    const began = performance.now()
    expect((await there.getManifest('v1'))?.bytes).toEqual(bytes)
    expect(performance.now() - began).toBeGreaterThan(950)
  })

  it('is slow is left at once when the run is cancelled', async () => {
    const { registry } = await openHostile(() => undefined)
    const run = newRun()
    const reading = run.open(registry, 'todo/backend').getManifest('v1')
    setTimeout(() => {
      run.stop.abort(new Error('cancelled by the user'))
    }, 100)
    const began = performance.now()
    await expect(reading).rejects.toThrow('cancelled by the user')
    expect(performance.now() - began).toBeLessThan(3000)
  })
})
