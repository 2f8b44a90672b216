import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { pipeline } from 'node:stream/promises'

/** Path below the context → what is there: kind, permissions and content, such as `file 644 sha256:…`. */
export type ContextFiles = ReadonlyMap<string, string>

const PERMISSIONS = 0o777

/**
 * Reads everything that a build may see of a context folder: what `.dockerignore` leaves. The ignore file of the Dockerfile itself
 * (`<Dockerfile>.dockerignore`) goes before the one of the context, as BuildKit has it.
 */
export async function readContext(folder: string, dockerfile: string): Promise<ContextFiles> {
  const own = await readFile(`${dockerfile}.dockerignore`, 'utf8').catch(() => undefined)
  const text = own ?? (await readFile(join(folder, '.dockerignore'), 'utf8').catch(() => ''))
  const isIgnored = ignoreMatcher(text)
  const files = new Map<string, string>()
  const walk = async (path: string): Promise<void> => {
    const entries = await readdir(join(folder, path))
    for (const name of entries.sort()) {
      const at = posix.join(path, name)
      const ignored = isIgnored(at)
      const whole = join(folder, at)
      const stat = await lstat(whole)
      // A folder that is ignored may still hold something that a later "!" brings back.
      if (stat.isDirectory() && !(ignored && !isIgnored.hasExceptions)) await walk(at)
      if (ignored) continue
      const mode = (stat.mode & PERMISSIONS).toString(8)
      if (stat.isDirectory()) files.set(at, `folder ${mode}`)
      else if (stat.isSymbolicLink()) files.set(at, `link ${await readlink(whole)}`)
      else if (stat.isFile()) files.set(at, `file ${mode} ${await digestOf(whole)}`)
    }
  }
  await walk('')
  return files
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return `sha256:${hash.digest('hex')}`
}

/** True for a path that is left out. `hasExceptions`: some line begins with "!". */
export type IgnoreMatcher = ((path: string) => boolean) & { readonly hasExceptions: boolean }

/**
 * The rules of `.dockerignore` (docs.docker.com, "Build context"; github.com/moby/patternmatcher): Go's path patterns, `**` for any
 * number of folders, a folder stands for all that is in it, and the last line that matches counts.
 */
export function ignoreMatcher(text: string): IgnoreMatcher {
  const rules = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const excepts = line.startsWith('!')
      const path = posix.normalize(excepts ? line.slice(1).trim() : line)
      return { excepts, pattern: patternOf(path.replace(/^\/+/, '').replace(/\/+$/, '')) }
    })
  const match = (path: string): boolean => {
    let ignored = false
    const above = parents(path)
    for (const { excepts, pattern } of rules)
      if (ignored === excepts && above.some((one) => pattern.test(one))) ignored = !excepts
    return ignored
  }
  return Object.assign(match, { hasExceptions: rules.some(({ excepts }) => excepts) })
}

/** The path itself and every folder above it. */
function parents(path: string): readonly string[] {
  const parts = path.split('/')
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'))
}

function patternOf(path: string): RegExp {
  let source = ''
  for (let at = 0; at < path.length; at += 1) {
    const letter = path[at] ?? ''
    if (path.startsWith('**', at)) {
      const inFront = path[at + 2] === '/'
      source += inFront ? '(?:.*/)?' : '.*'
      at += inFront ? 2 : 1
    } else if (letter === '*') source += '[^/]*'
    else if (letter === '?') source += '[^/]'
    else if (letter === '[') {
      const end = path.indexOf(']', at + 1)
      if (end < 0) source += '\\['
      else {
        source += path.slice(at, end + 1)
        at = end
      }
    } else if (letter === '\\') source += escaped(path[++at] ?? '\\')
    else source += escaped(letter)
  }
  return new RegExp(`^${source}$`, 's')
}

function escaped(letter: string): string {
  return letter.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}
