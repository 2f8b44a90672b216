import { createHash, randomUUID } from 'node:crypto'
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'

/** Writes a file so that a reader sees the old content or the new one, never a half. */
export function writeAtomically(path: string, content: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true })
  const beside = `${path}.${randomUUID()}`
  writeFileSync(beside, content, { mode })
  renameSync(beside, path)
}

/** The parsed content, or undefined where there is no such file or not a whole one. */
export function readJson(path: string): unknown {
  if (!existsSync(path)) return undefined
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (failure) {
    if (failure instanceof SyntaxError) return undefined // cut off by a machine that stopped: as good as absent
    throw failure
  }
}

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

/** A short key of texts: equal inputs, equal key. */
export function keyOf(...texts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(`${text.length}:`).update(text)
  return hash.digest('hex').slice(0, 16)
}

/** A short key of every file below the folders, by relative path and content. */
export function keyOfFolders(...folders: readonly string[]): string {
  return keyOf(
    ...folders.flatMap((folder) =>
      listFiles(folder).flatMap((file) => [file, readFileSync(join(folder, file))]),
    ),
  )
}

export function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}
