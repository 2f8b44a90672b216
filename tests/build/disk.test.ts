import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { lab } from '../e2e/lab.ts'
import { type Distribution, startDistribution } from '../registry/distribution.ts'
import { buildArguments, type Product, writeProduct } from './product.ts'
import { NOTHING, publishedIn } from './published.ts'

const LIMIT_MS = 200_000
const MEBIBYTE = 1024 * 1024
/** The smallest disk there is, in KiB. It is filled before the run begins. */
const PAGE = 4
const FULL =
  'The disk is full; free some space, or name other folders: TODO_DEPLOY_CACHE for what is kept, TMPDIR (on GitHub RUNNER_TEMP) for work'

let registry: Distribution
let product: Product
let folder = ''

beforeEach(async () => {
  registry = await startDistribution('v3', 'open')
  product = await writeProduct({ one: { bytes: 4 * MEBIBYTE } })
  folder = await mkdtemp(join(tmpdir(), 'small-disk-'))
})

afterEach(async () => {
  await registry.stop()
  await product.remove()
  await rm(folder, { recursive: true, force: true })
})

type Ended = { readonly status: number; readonly firstLine: string; readonly stderr: string }

/** Runs build-images where `folder` is a disk of so many KiB of its own, which is gone with the process. */
async function buildOnDisk(
  kibibytes: number,
  variable: string,
  more: readonly string[] = [],
): Promise<Ended> {
  const mine = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
  const fill = kibibytes <= PAGE ? '{ head -c 4096 /dev/zero > "$0/full"; } && ' : ''
  const mount = `mount -t tmpfs -o size=${kibibytes}k small "$0" && ${fill}exec "$@"`
  const run = [
    process.execPath,
    'bin/todo-deploy.mjs',
    ...buildArguments(product, registry.registry, ...more),
  ]
  const env = { ...process.env, ...lab.environment, [variable]: folder }
  return await new Promise((resolve) => {
    const argv = [...mine, '--mount', 'sh', '-c', mount, folder, ...run]
    execFile('unshare', argv, { env, timeout: LIMIT_MS }, (error, _stdout, stderr) => {
      const firstLine = stderr.split('\n').find((line) => /^[^\s▸✓!]/.test(line)) ?? ''
      resolve({ status: error === null ? 0 : Number(error.code ?? -1), firstLine, stderr })
    })
  })
}

describe('a disk that is full', () => {
  it.each([
    { name: 'while the image is fetched', variable: 'TMPDIR', kibibytes: 1024 },
    { name: 'before there is room for anything', variable: 'TMPDIR', kibibytes: PAGE },
    { name: 'while the SBOM is kept', variable: 'TODO_DEPLOY_CACHE', kibibytes: PAGE },
  ])('$name ends the run by its name, with nothing published', async ({ variable, kibibytes }) => {
    const ended = await buildOnDisk(kibibytes, variable)
    expect(ended.firstLine).toBe(FULL)
    expect(ended.status).toBe(2)
    expect(await publishedIn(registry)).toMatchObject(NOTHING)
  })

  it('where the report should go is told first, and the run has not gone well', async () => {
    const report = ['--json', join(folder, 'report.json')]
    const ended = await buildOnDisk(PAGE, 'UNUSED', ['--push', 'false', ...report])
    expect(ended.firstLine).toBe(FULL)
    expect(ended.stderr).toContain('Built and scanned 1 images')
    expect(ended.status).toBe(1)
  })

  it('is no more in the way once there is room', async () => {
    expect((await buildOnDisk(64 * 1024, 'TMPDIR')).status).toBe(0)
  })
})
