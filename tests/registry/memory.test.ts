import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Distribution, startDistribution } from './distribution.ts'
import { openHostile, stopAll } from './hostile.ts'
import { MEGABYTE } from './image.ts'

const GIGABYTE = 1024 * MEGABYTE
const PROGRAM = join(import.meta.dirname, 'bigblob.ts')

describe('a layer of a gigabyte', () => {
  let registry: Distribution
  beforeAll(async () => {
    registry = await startDistribution('v3', 'open')
  })
  afterAll(async () => {
    await registry.stop()
  })

  it('goes up and comes down in little memory', async () => {
    const { before, grown } = await carry(registry.registry)
    process.stdout.write(
      `registry: a layer of 1 GiB pushed and read: ${before} MiB before, ${grown} MiB more at most\n`,
    )
    expect(grown).toBeLessThan(50)
  }, 180_000)

  it('waits on the disk, and not in memory, for a registry that takes its time', async () => {
    const slow = await openHostile((request, response) => {
      const upload = { location: '/v2/todo/upload' }
      if (request.method === 'POST') response.writeHead(202, upload).end()
      else if (request.method !== 'PUT') response.writeHead(404).end()
      else {
        request.pause()
        setTimeout(() => request.resume(), 1500)
        request.on('end', () => response.writeHead(201).end())
      }
    })
    const { grown } = await carry(slow.registry, 'push')
    await stopAll()
    expect(grown).toBeLessThan(50)
  }, 180_000)
})

/** Pushes a layer of a gigabyte. Returns the size of the process that did it, and by how much it grew, in MiB. */
async function carry(registry: string, ...mode: readonly string[]): Promise<Grown> {
  const env = { ...process.env, NODE_NO_WARNINGS: '1', DOCKER_CONFIG: '/nonexistent' }
  const argv = [PROGRAM, registry, String(GIGABYTE), ...mode]
  const { stdout } = await promisify(execFile)(process.execPath, argv, { env, timeout: 170_000 })
  const { before, grown } = JSON.parse(stdout) as Grown
  return { before: Math.round(before / MEGABYTE), grown: Math.round(grown / MEGABYTE) }
}

type Grown = { readonly before: number; readonly grown: number }
