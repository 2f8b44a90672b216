import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { messageOf, UserError } from '../errors.ts'
import { parseJson, textAt } from '../json.ts'
import type { ToolName, Tools } from '../world.ts'
import pins from './pins.json' with { type: 'json' }

/** Fetches and unpacks a released archive; filled by `@actions/tool-cache` at the edge. */
export type Downloader = {
  readonly download: (url: string, file: string) => Promise<void>
  readonly extract: (archive: string, folder: string) => Promise<void>
}

type Pin = {
  readonly url: string
  readonly sha256: string
  readonly archive: string
  readonly member: string
}

/** Names a manifest of tools that were made elsewhere: `{name: {version, path, sha256}}`, as the lab writes it. */
const MANIFEST_VARIABLE = 'TODO_DEPLOY_TOOLS'

/**
 * Pinned external programs. A program is taken from the manifest in `TODO_DEPLOY_TOOLS`, else from the cache, else downloaded; its
 * sha256 is checked on every first use in a run, a cache hit included. Unknown or altered programs are refused.
 */
export function pinnedTools(downloader: Downloader): Tools {
  const known = new Map<ToolName, Promise<string>>()
  return (name) => {
    const path = known.get(name) ?? resolveTool(name, downloader)
    known.set(name, path)
    return path
  }
}

export function cacheFolder(): string {
  // A variable that is set to nothing names no folder.
  const { TODO_DEPLOY_CACHE: own = '', XDG_CACHE_HOME: caches = '' } = process.env
  if (own !== '') return own
  return join(caches === '' ? join(homedir(), '.cache') : caches, 'todo-deploy')
}

async function resolveTool(name: ToolName, downloader: Downloader): Promise<string> {
  const manifest = process.env[MANIFEST_VARIABLE]
  if (manifest !== undefined && manifest !== '') {
    const listed = await readManifest(manifest, name)
    if (listed !== undefined) {
      await requireSha256(listed.path, listed.sha256, name)
      return listed.path
    }
  }
  return await installPinned(name, downloader)
}

async function readManifest(
  file: string,
  name: ToolName,
): Promise<{ readonly path: string; readonly sha256: string } | undefined> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UserError(`${MANIFEST_VARIABLE} names ${file}, which can't be read`, [], {
      cause: error,
    })
  })
  const entry = parseJson(text, file)
  const path = textAt(entry, name, 'path')
  const sha256 = textAt(entry, name, 'sha256')
  return path === undefined || sha256 === undefined ? undefined : { path, sha256 }
}

async function installPinned(name: ToolName, downloader: Downloader): Promise<string> {
  const { version, platforms } = pins.tools[name]
  const platform = `${process.platform}-${process.arch}`
  const pin = (platforms as Readonly<Record<string, Pin>>)[platform]
  if (pin === undefined)
    throw new UserError(
      `${name} has no pinned build for ${platform}; name your own in ${MANIFEST_VARIABLE}`,
    )
  // The archive is what upstream's checksum covers, so it is kept and checked; the program comes out of it anew.
  const folder = join(cacheFolder(), 'released', `${name}-${version}-${platform}`)
  const archive = join(folder, 'archive')
  const fetched = await sha256Of(archive).catch(() => undefined) // Not there yet.
  if (fetched !== pin.sha256) await fetchArchive({ name, version, pin, archive }, downloader)
  const bin = join(folder, 'bin')
  const path = join(bin, pin.member)
  await rm(bin, { recursive: true, force: true })
  await mkdir(bin, { recursive: true })
  if (pin.archive === 'none') await copyFile(archive, path)
  else await downloader.extract(archive, bin)
  await chmod(path, 0o755)
  return path
}

async function fetchArchive(
  what: {
    readonly name: string
    readonly version: string
    readonly pin: Pin
    readonly archive: string
  },
  downloader: Downloader,
): Promise<void> {
  const { name, version, pin, archive } = what
  await mkdir(dirname(archive), { recursive: true })
  const part = `${archive}.${process.pid}`
  try {
    await downloader.download(pin.url, part)
  } catch (error) {
    throw new UserError(
      `${name} ${version} can't be downloaded; allow ${new URL(pin.url).host}, or name your own copy in ${MANIFEST_VARIABLE}`,
      [messageOf(error)],
      { cause: error },
    )
  }
  try {
    await requireSha256(part, pin.sha256, name)
    await rename(part, archive)
  } finally {
    await rm(part, { force: true })
  }
}

async function requireSha256(file: string, wanted: string, name: string): Promise<void> {
  const found = await sha256Of(file).catch((error: unknown) => {
    throw new UserError(`The program ${name} is not at ${file}`, [], { cause: error })
  })
  if (found === wanted) return
  throw new UserError(
    `${name} at ${file} is not the pinned program (sha256 ${found}, wanted ${wanted}); remove it and run again`,
  )
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
