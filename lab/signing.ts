import { generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { writeAtomically } from './files.ts'
import { places } from './places.ts'

/** Where the lab's signing key is: it outlives the lab, so that what was built before can be used again. */
export const signingKeyFile: string = join(places.cache, 'signing-key.pem')

/** Makes the key that the lab signs with, unless it is there: for this machine only, and of no value elsewhere. */
export function ensureSigningKey(): string {
  if (existsSync(signingKeyFile)) return signingKeyFile
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  writeAtomically(signingKeyFile, pem, 0o600)
  return signingKeyFile
}
