import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  checksumFor,
  emulateReleases,
  type FakeRelease,
  type Releases,
} from '../fakes/githubreleases.ts'

const PLATFORMS = ['linux-amd64', 'darwin-arm64']
const NAMES = ['linux-x64', 'darwin-arm64']
const DAY_MS = 86_400_000
const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString()

const syftFile = (version: string, at: number) =>
  `https://github.com/anchore/syft/releases/download/v${version}/syft_${version}_${PLATFORMS[at]}.tar.gz`
const helmFile = (version: string, at: number) =>
  `https://get.helm.sh/helm-v${version}-${PLATFORMS[at]}.tar.gz`
const pinOf = (url: string) => ({ url, sha256: checksumFor(url), archive: 'tar.gz', member: 'x' })
const toolOf = (version: string, file: typeof syftFile) => ({
  version: `v${version}`,
  platforms: Object.fromEntries(NAMES.map((name, at) => [name, pinOf(file(version, at))])),
})
const before = { $comment: 'kept', tools: { syft: toolOf('1.2.3', syftFile) }, images: { a: 'b' } }

let folder = ''
let server: Releases | undefined
const pins = () => join(folder, 'pins.json')

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pins-'))
  await writeFile(pins(), JSON.stringify(before))
})

afterEach(async () => {
  await server?.stop()
  server = undefined
  await rm(folder, { recursive: true })
})

/** Runs the script as a workflow does. */
async function update(...args: readonly string[]) {
  const env = {
    ...process.env,
    TODO_DEPLOY_RELEASES: server?.address ?? '',
    TODO_DEPLOY_PINS: pins(),
  }
  return await new Promise<{ status: number; said: string }>((resolve) => {
    execFile(process.execPath, ['scripts/update-tools.ts', ...args], { env }, (error, out, err) => {
      resolve({ status: error === null ? 0 : Number(error.code), said: out + err })
    })
  })
}

async function syftHas(releases: readonly FakeRelease[], files = [0, 1]): Promise<void> {
  const lists = new Map(
    releases.map(({ tag }) => {
      const version = tag.slice(1)
      const lines = files.map((at) => {
        const url = syftFile(version, at)
        return `${checksumFor(url)}  ${url.slice(url.lastIndexOf('/') + 1)}\n`
      })
      const list = syftFile(version, 0).replace(/[^/]+$/, `syft_${version}_checksums.txt`)
      return [list, lines.join('')]
    }),
  )
  server = await emulateReleases({ 'anchore/syft': releases }, lists)
}

const written = async () => JSON.parse(await readFile(pins(), 'utf8')) as typeof before

describe('the script that updates the pins', () => {
  it('proposes the newest release of seven days and more, and writes it with all of its checksums when told so', async () => {
    await syftHas([
      { tag: 'v1.2.3', published: daysAgo(90) },
      { tag: 'v1.10.0', published: daysAgo(8) },
      { tag: 'v1.9.0', published: daysAgo(20) },
      { tag: 'v1.11.0', published: daysAgo(6) },
    ])
    const proposed = await update()
    expect(proposed.status).toBe(0)
    expect(proposed.said).toMatch(
      /\| syft +\| v1\.2\.3 +\| v1\.10\.0 +\| .*v1\.11\.0 is 6 days old/,
    )
    expect(await written()).toEqual(before)
    expect((await update('--write')).status).toBe(0)
    expect(await written()).toEqual({ ...before, tools: { syft: toolOf('1.10.0', syftFile) } })
    expect(server?.asked.filter((path) => path.endsWith('.tar.gz'))).toEqual([])
  })

  it.each([
    { name: 'a trial', release: { tag: 'v1.3.0', published: daysAgo(30), prerelease: true } },
    { name: 'a trial by its name', release: { tag: 'v1.3.0-rc.1', published: daysAgo(30) } },
    { name: 'a draft', release: { tag: 'v1.3.0', published: daysAgo(30), draft: true } },
    { name: 'too young', release: { tag: 'v1.3.0', published: daysAgo(6.9) } },
    { name: 'older than what is pinned', release: { tag: 'v1.1.9', published: daysAgo(30) } },
    { name: 'another major version', release: { tag: 'v2.0.0', published: daysAgo(30) } },
  ])('does not take a release that is $name', async ({ release }) => {
    await syftHas([release])
    expect(await update('--write')).toMatchObject({ status: 0 })
    expect(await written()).toEqual(before)
  })

  it('refuses a release that lacks the checksum of a platform, and writes nothing', async () => {
    await syftHas([{ tag: 'v1.3.0', published: daysAgo(30) }], [0])
    const { status, said } = await update('--write')
    expect(status).toBe(1)
    expect(said).toContain('The checksums of syft v1.3.0 lack syft_1.3.0_darwin-arm64.tar.gz')
    expect(await written()).toEqual(before)
  })

  it('refuses a checksum that is not the one GitHub reckons', async () => {
    const digests = { 'syft_1.3.0_linux-amd64.tar.gz': `sha256:${'0'.repeat(64)}` }
    await syftHas([{ tag: 'v1.3.0', published: daysAgo(30), digests }])
    const { status, said } = await update('--write')
    expect(status).toBe(1)
    expect(said).toMatch(/^The checksum of syft_1\.3\.0_linux-amd64\.tar\.gz .* do not use it/)
    expect(await written()).toEqual(before)
  })

  it('reads a checksum that stands in a file of its own beside each archive', async () => {
    await writeFile(
      pins(),
      JSON.stringify({ ...before, tools: { helm: toolOf('4.1.0', helmFile) } }),
    )
    const files = [0, 1].map((at) => helmFile('4.1.1', at))
    const lists = new Map(files.map((url) => [`${url}.sha256sum`, `${checksumFor(url)}\n`]))
    const releases = { 'helm/helm': [{ tag: 'v4.1.1', published: daysAgo(9) }] }
    server = await emulateReleases(releases, lists)
    expect(await update('--write')).toMatchObject({ status: 0 })
    expect((await written()).tools).toEqual({ helm: toolOf('4.1.1', helmFile) })
  })

  it('says which host it can not reach, and ends with 1', async () => {
    await syftHas([])
    await server?.stop()
    const { status, said } = await update()
    expect(status).toBe(1)
    expect(said).toMatch(/^api\.github\.com can't be reached; check the network\n/)
  })
})
