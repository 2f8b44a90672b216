import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type Downloader, pinnedTools } from './install.ts'

const program = '#!/bin/sh\necho kustomize\n'
const sha256 = createHash('sha256').update(program).digest('hex')
const unreachable: Downloader = {
  download: () => Promise.reject(new Error('getaddrinfo ENOTFOUND')),
  extract: () => Promise.reject(new Error('nothing to extract')),
}

let folder = ''
const path = () => join(folder, 'kustomize')
const kept = { ...process.env }
const { arch } = process

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tools-'))
  process.env['TODO_DEPLOY_CACHE'] = join(folder, 'cache')
  process.env['TODO_DEPLOY_TOOLS'] = join(folder, 'manifest.json')
  await writeFile(path(), program)
  const manifest = { kustomize: { version: 'v1', path: path(), sha256 } }
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest))
})

afterEach(async () => {
  process.env = { ...kept }
  Object.defineProperty(process, 'arch', { value: arch })
  await rm(folder, { recursive: true })
})

/** Lets a download write `content`; the names of what was asked for are kept. */
function downloads(content: string): Downloader & { readonly urls: string[] } {
  const urls: string[] = []
  return {
    ...unreachable,
    urls,
    download: async (url, file) => {
      urls.push(url)
      await writeFile(file, content)
    },
  }
}

describe('a program named in the manifest', () => {
  it('is used from where it is, without the network', async () => {
    expect(await pinnedTools(unreachable)('kustomize')).toBe(path())
  })

  it('is refused where it was altered since', async () => {
    await writeFile(path(), `${program}curl evil.example\n`)
    await expect(pinnedTools(unreachable)('kustomize')).rejects.toThrow('is not the pinned program')
  })

  it('is checked again on each use: one that was altered within the run is refused', async () => {
    const tools = pinnedTools(unreachable)
    expect(await tools('kustomize')).toBe(path())
    await writeFile(path(), program.replace('echo', 'eval'))
    await expect(tools('kustomize')).rejects.toThrow('is not the pinned program')
  })

  it('is refused where another version is asked for', async () => {
    const asked = pinnedTools(unreachable)('kustomize', { version: 'v2' })
    await expect(asked).rejects.toThrow(
      'TODO_DEPLOY_TOOLS names kustomize v1, and v2 is asked for; leave out one of them',
    )
  })

  it('is refused where it is gone', async () => {
    await rm(path())
    await expect(pinnedTools(unreachable)('kustomize')).rejects.toThrow(
      `The program kustomize is not at ${path()}`,
    )
  })
})

describe('a released program', () => {
  it('is refused where the download is not what was pinned, and none of it is kept', async () => {
    const downloader = downloads('something else')
    await expect(pinnedTools(downloader)('buildx')).rejects.toThrow('is not the pinned program')
    const cached = await readdir(join(folder, 'cache'), { recursive: true, withFileTypes: true })
    expect(cached.filter((entry) => entry.isFile()).map(({ name }) => name)).toEqual([])
  })

  it('is not believed because it is in the cache: an altered one is fetched again', async () => {
    const first = downloads('x')
    await expect(pinnedTools(first)('buildx')).rejects.toThrow()
    const version = /v\d+\.\d+\.\d+/.exec(first.urls[0] ?? '')?.[0] ?? ''
    const name = `buildx-${version}-${process.platform}-${process.arch}`
    const archive = join(folder, 'cache/released', name, 'archive')
    await mkdir(dirname(archive), { recursive: true })
    await writeFile(archive, 'altered')
    const second = downloads('y')
    await expect(pinnedTools(second)('buildx')).rejects.toThrow('is not the pinned program')
    expect(second.urls).toEqual(first.urls)
    expect(await readFile(archive, 'utf8')).toBe('altered')
  })

  it('that was altered in the cache after it was unpacked is unpacked anew', async () => {
    const wish = { version: 'v9.9.9', sha256 }
    const tools = pinnedTools(downloads(program))
    const bin = await tools('buildx', wish)
    await writeFile(bin, 'altered')
    expect(await tools('buildx', wish)).toBe(bin)
    expect(await readFile(bin, 'utf8')).toBe(program)
    await writeFile(bin, 'altered before the next run')
    expect(await readFile(await pinnedTools(unreachable)('buildx', wish), 'utf8')).toBe(program)
  })

  it('of a version that nobody pinned needs a sha256, before any download', async () => {
    const downloader = downloads(program)
    const asked = pinnedTools(downloader)('syft', { version: 'v9.9.9' })
    await expect(asked).rejects.toThrow(
      /^syft v9\.9\.9 is not known here \(v[\d.]+ is\); give the sha256 of its archive for/,
    )
    expect(downloader.urls).toEqual([])
  })

  it('of a version that nobody pinned is fetched from the place of the pinned one, and checked', async () => {
    const good = downloads(program)
    await pinnedTools(good)('buildx', { version: 'v9.9.9', sha256 })
    expect(good.urls[0]).toMatch(/\/v9\.9\.9\/buildx-v9\.9\.9\./)
    const altered = pinnedTools(downloads('other'))('buildx', { version: 'v9.9.8', sha256 })
    await expect(altered).rejects.toThrow('is not the pinned program')
  })

  it('that the network does not give names the host and the way round it', async () => {
    await expect(pinnedTools(unreachable)('buildx')).rejects.toThrow(
      /can't be downloaded; allow github\.com, or name your own copy in TODO_DEPLOY_TOOLS/,
    )
  })

  it('that nobody pinned for this machine is refused before any download', async () => {
    Object.defineProperty(process, 'arch', { value: 's390x' })
    const downloader = downloads('x')
    await expect(pinnedTools(downloader)('buildx')).rejects.toThrow(
      `buildx has no pinned build for ${process.platform}-s390x`,
    )
    expect(downloader.urls).toEqual([])
  })
})
