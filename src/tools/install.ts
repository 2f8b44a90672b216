import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { chmod, copyFile, mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { isDiskFull, messageOf, UserError } from '../errors.ts'
import { parseJson, textAt } from '../json.ts'
import type { ToolName, Tools, ToolWish } from '../world.ts'
import pins from './pins.json' with { type: 'json' }

/** Fetches and unpacks a released archive; filled by `@actions/tool-cache` at the edge. */
export type Downloader = {
  readonly download: (url: string, file: string) => Promise<void>
  readonly extract: (archive: string, folder: string) => Promise<void>
}

export type Pin = {
  readonly url: string
  readonly sha256: string
  readonly archive: string
  readonly member: string
}

/** One released program for this machine. */
type Released = { readonly name: string; readonly version: string; readonly pin: Pin }

/** A program that was checked, and what the file was like then. */
type Checked = { readonly path: string; readonly stamp: string }

/** Names a manifest of tools that were made elsewhere: `{name: {version, path, sha256}}`, as the lab writes it. */
const MANIFEST_VARIABLE = 'TODO_DEPLOY_TOOLS'
const PIECE = 1024 * 1024

/**
 * Pinned external programs. A program is taken from the manifest in `TODO_DEPLOY_TOOLS`, else from the cache, else downloaded. Its
 * sha256 is checked on every use, a cache hit included; unknown or altered programs are refused.
 */
export function pinnedTools(downloader: Downloader): Tools {
  const known = new Map<string, Promise<Checked>>()
  const check = (name: ToolName, wish: ToolWish | undefined) => {
    const checked = resolveTool({ name, wish }, downloader).then(async (path) => ({
      path,
      stamp: await stampOf(path),
    }))
    known.set(keyOf(name, wish), checked)
    return checked
  }
  return async (name, wish) => {
    const { path, stamp } = await (known.get(keyOf(name, wish)) ?? check(name, wish))
    if ((await stampOf(path)) === stamp) return path
    return (await check(name, wish)).path
  }
}

function keyOf(name: ToolName, wish: ToolWish | undefined): string {
  return [name, wish?.version, wish?.sha256].join(' ')
}

/** The same as long as nobody wrote to the file: then it need not be read again. Its owner can set other times, but not this one. */
async function stampOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(() => undefined) // Gone: checked again.
  return found === undefined ? '' : `${found.ino} ${found.size} ${found.ctimeNs}`
}

export function cacheFolder(): string {
  // A variable that is set to nothing names no folder.
  const { TODO_DEPLOY_CACHE: own = '', XDG_CACHE_HOME: caches = '' } = process.env
  if (own !== '') return own
  return join(caches === '' ? join(homedir(), '.cache') : caches, 'todo-deploy')
}

async function resolveTool(
  { name, wish }: { readonly name: ToolName; readonly wish: ToolWish | undefined },
  downloader: Downloader,
): Promise<string> {
  const manifest = process.env[MANIFEST_VARIABLE]
  if (manifest !== undefined && manifest !== '') {
    const listed = await readManifest(manifest, name)
    if (listed !== undefined) {
      if (wish !== undefined && wish.version !== listed.version)
        throw new UserError(
          `${MANIFEST_VARIABLE} names ${name} ${listed.version}, and ${wish.version} is asked for; leave out one of them`,
        )
      requireSha256(listed.path, listed.sha256, name)
      return listed.path
    }
  }
  return await installReleased(releasedAs(name, wish), downloader)
}

async function readManifest(
  file: string,
  name: ToolName,
): Promise<
  { readonly path: string; readonly sha256: string; readonly version: string } | undefined
> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UserError(`${MANIFEST_VARIABLE} names ${file}, which can't be read`, [], {
      cause: error,
    })
  })
  const entry = parseJson(text, file)
  const path = textAt(entry, name, 'path')
  const sha256 = textAt(entry, name, 'sha256')
  const version = textAt(entry, name, 'version') ?? 'of no known version'
  return path === undefined || sha256 === undefined ? undefined : { path, sha256, version }
}

/** What is pinned for this machine; for another version the same archive of that one, by the sha256 that was given. */
function releasedAs(name: ToolName, wish: ToolWish | undefined): Released {
  const { version, platforms } = pins.tools[name]
  const platform = `${process.platform}-${process.arch}`
  const pin = (platforms as Readonly<Record<string, Pin>>)[platform]
  if (pin === undefined)
    throw new UserError(
      `${name} has no pinned build for ${platform}; name your own in ${MANIFEST_VARIABLE}`,
    )
  if (wish === undefined) return { name, version, pin }
  const sha256 = wish.sha256 ?? (wish.version === version ? pin.sha256 : undefined)
  if (sha256 === undefined)
    throw new UserError(
      `${name} ${wish.version} is not known here (${version} is); give the sha256 of its archive for ${platform}: ${name}:${wish.version}@sha256:…`,
    )
  const url = pin.url.replaceAll(version.slice(1), wish.version.slice(1))
  return { name, version: wish.version, pin: { ...pin, url, sha256 } }
}

async function installReleased(
  { name, version, pin }: Released,
  downloader: Downloader,
): Promise<string> {
  // The archive is what upstream's checksum covers, so it is kept and checked; the program comes out of it anew.
  const platform = `${process.platform}-${process.arch}`
  const folder = join(cacheFolder(), 'released', `${name}-${version}-${platform}`)
  const archive = join(folder, 'archive')
  const fetched = sha256IfThere(archive)
  if (fetched !== pin.sha256) await fetchArchive({ name, version, pin, archive }, downloader)
  // Beside its place first: a run at the same time may be using the one that is there.
  const beside = join(folder, `unpacked-${process.pid}`)
  const path = join(folder, 'bin', pin.member)
  try {
    await rm(beside, { recursive: true, force: true })
    await mkdir(beside, { recursive: true })
    if (pin.archive === 'none') await copyFile(archive, join(beside, pin.member))
    else await downloader.extract(archive, beside)
    await chmod(join(beside, pin.member), 0o755)
    await mkdir(dirname(path), { recursive: true })
    await rename(join(beside, pin.member), path)
  } catch (error) {
    if (isDiskFull(error)) throw error
    throw new UserError(
      `${name} ${version} can't be unpacked into ${folder}; look whether there is room, and remove the folder`,
      [messageOf(error)],
      { cause: error },
    )
  } finally {
    await rm(beside, { recursive: true, force: true })
  }
  return path
}

async function fetchArchive(
  { name, version, pin, archive }: Released & { readonly archive: string },
  downloader: Downloader,
): Promise<void> {
  await mkdir(dirname(archive), { recursive: true })
  const part = `${archive}.${process.pid}`
  await rm(part, { force: true })
  try {
    await downloader.download(pin.url, part)
    requireSha256(part, pin.sha256, name)
    await rename(part, archive)
  } catch (error) {
    if (error instanceof UserError || isDiskFull(error)) throw error
    throw new UserError(
      `${name} ${version} can't be downloaded; allow ${new URL(pin.url).host}, or name your own copy in ${MANIFEST_VARIABLE}`,
      [`${pin.url}: ${messageOf(error)}`],
      { cause: error },
    )
  } finally {
    await rm(part, { force: true })
  }
}

function requireSha256(file: string, wanted: string, name: string): void {
  let found
  try {
    found = sha256Of(file)
  } catch (error) {
    throw new UserError(`The program ${name} is not at ${file}`, [], { cause: error })
  }
  if (found === wanted) return
  throw new UserError(
    `${name} at ${file} is not the pinned program (sha256 ${found}, wanted ${wanted}); remove it and run again`,
  )
}

/** What can't be read is fetched anew. */
function sha256IfThere(path: string): string | undefined {
  try {
    return sha256Of(path)
  } catch {
    return undefined
  }
}

/**
 * Into the same piece of memory again and again: programs have a hundred megabytes. In one go, since whoever checks a program waits for
 * it: between pieces all else would come first, and a deploy's kustomize would start when there is nothing left to do beside it.
 */
function sha256Of(path: string): string {
  const hash = createHash('sha256')
  const piece = Buffer.allocUnsafe(PIECE)
  const file = openSync(path, 'r')
  try {
    for (;;) {
      const length = readSync(file, piece, 0, PIECE, null)
      if (length === 0) return hash.digest('hex')
      hash.update(piece.subarray(0, length))
    }
  } finally {
    closeSync(file)
  }
}
