import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { UserError } from '../errors.ts'
import { textAt } from '../json.ts'
import type { Pieces } from './digest.ts'

/** Writes a file that is there whole or not at all. Throws `UserError` where the disk is full. */
export async function saveFile(path: string, pieces: Pieces): Promise<void> {
  const unfinished = `${path}.${randomBytes(6).toString('hex')}.unfinished`
  try {
    const file = await open(unfinished, 'wx')
    try {
      for await (const piece of pieces instanceof Uint8Array ? [pieces] : pieces)
        await file.writeFile(piece)
    } finally {
      await file.close()
    }
    await rename(unfinished, path)
  } catch (error) {
    await rm(unfinished, { force: true })
    if (textAt(error, 'code') !== 'ENOSPC') throw error
    throw new UserError(`The disk is full: ${path} can't be written; make room and run again`, [], {
      cause: error,
    })
  }
}
