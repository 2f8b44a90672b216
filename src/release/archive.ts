import { gunzipSync, gzipSync } from 'node:zlib'
import { extract, pack } from 'tar-stream'
import { messageOf, UserError } from '../errors.ts'

/** Files by their path with forward slashes, relative to the root of the archive. */
export type Files = ReadonlyMap<string, Buffer>

/** A release is text; more than this after unpacking is a bomb. */
const UNPACKED_LIMIT = 64 * 1024 * 1024
/** gzip notes the system it ran on, and the same release must have the same digest on all of them (RFC 1952, section 2.3). */
const SYSTEM_BYTE = 9
const UNKNOWN_SYSTEM = 255

/** Packs files into a tar.gz that depends on nothing but names and contents: sorted, no times, no owners. */
export async function packFiles(files: Files): Promise<Buffer> {
  const archive = pack()
  for (const [name, content] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
    archive.entry({ name, mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 }, content)
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive) chunks.push(chunk as Buffer)
  const packed = gzipSync(Buffer.concat(chunks), { level: 9 })
  packed[SYSTEM_BYTE] = UNKNOWN_SYSTEM
  return packed
}

/** Unpacks a tar.gz in memory. Links, absolute paths and `..` are refused: a release can't reach outside its folder. */
export async function unpackFiles(bytes: Buffer): Promise<Files> {
  const unpacked = unzip(bytes)
  const files = new Map<string, Buffer>()
  const archive = extract()
  const reading = (async () => {
    for await (const entry of archive) {
      const { name, type } = entry.header
      if (type === 'directory') {
        entry.resume()
        continue
      }
      if (type !== 'file' || name.startsWith('/') || name.split('/').includes('..'))
        throw new UserError(`The release holds "${name}" (${type}), which is refused`)
      const chunks: Buffer[] = []
      for await (const chunk of entry) chunks.push(chunk as Buffer)
      files.set(name, Buffer.concat(chunks))
    }
  })()
  archive.end(unpacked)
  await reading
  return files
}

function unzip(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: UNPACKED_LIMIT })
  } catch (error) {
    throw new UserError(
      "The release can't be unpacked: it is damaged, or larger than 64 MiB; publish it again",
      [messageOf(error)],
      { cause: error },
    )
  }
}
