import { createHash } from 'node:crypto'
import { UserError } from '../errors.ts'

/** Bytes as they come, or all at once. */
export type Pieces = AsyncIterable<Uint8Array> | Uint8Array

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/**
 * Passes pieces on while it counts and hashes them. The last one is given only when size and digest are right, so that who
 * takes them never has the whole of a wrong thing. Throws `UserError` where they are not.
 */
export async function* checked(
  pieces: Pieces,
  expected: { readonly digest: string; readonly size: number },
  what: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256')
  let size = 0
  let held: Uint8Array | undefined
  for await (const piece of inPieces(pieces)) {
    size += piece.byteLength
    if (size > expected.size)
      throw new UserError(
        `${what} is longer than the ${expected.size} bytes it should have; refused`,
      )
    hash.update(piece)
    if (held !== undefined) yield held
    held = piece
  }
  if (size < expected.size)
    throw new UserError(`${what} ends after ${size} of ${expected.size} bytes; refused`)
  const found = `sha256:${hash.digest('hex')}`
  if (found !== expected.digest)
    throw new UserError(`${what} has other bytes than its digest says (${found}); refused`)
  if (held !== undefined) yield held
}

/** All pieces in one buffer, at most `limit` bytes. Throws `UserError` as soon as there are more. */
export async function gather(pieces: Pieces, limit: number, what: string): Promise<Buffer> {
  const gathered: Uint8Array[] = []
  let size = 0
  for await (const piece of inPieces(pieces)) {
    size += piece.byteLength
    if (size > limit) throw new UserError(`${what} is larger than ${limit} bytes; refused`)
    gathered.push(piece)
  }
  return Buffer.concat(gathered)
}

/** The part of `pieces` from `start` on, `length` bytes long at most. */
export async function* slice(
  pieces: Pieces,
  start: number,
  length: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let toSkip = start
  let left = length
  for await (const piece of inPieces(pieces)) {
    const part = piece.subarray(Math.min(toSkip, piece.byteLength)).subarray(0, left)
    toSkip -= Math.min(toSkip, piece.byteLength)
    left -= part.byteLength
    if (part.byteLength > 0) yield part
    if (left === 0) return
  }
}

async function* inPieces(pieces: Pieces): AsyncGenerator<Uint8Array, void, undefined> {
  if (pieces instanceof Uint8Array) yield pieces
  else yield* pieces
}
