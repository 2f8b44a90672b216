import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.ts'
import { readJson, writeAtomically } from './files.ts'
import { places } from './places.ts'

/** What the outside services ask for: random, made once, kept in the lab's folder. */
export interface Credentials {
  readonly productionDatabase: string
  readonly stagingDatabase: string
  readonly stagingSigning: string
  readonly productionSigning: string
  readonly model: string
}

export interface Certificate {
  readonly certificate: string
  readonly key: string
}

const PRIVATE = 0o600
const CERTIFICATE_DAYS = '3650'

export function ensureCredentials(): Credentials {
  const path = join(places.lab, 'credentials.json')
  const known = (readJson(path) ?? {}) as Partial<Credentials>
  const random = (): string => randomBytes(24).toString('hex')
  const credentials: Credentials = {
    productionDatabase: known.productionDatabase ?? random(),
    stagingDatabase: known.stagingDatabase ?? random(),
    stagingSigning: known.stagingSigning ?? random(),
    productionSigning: known.productionSigning ?? random(),
    model: known.model ?? random(),
  }
  writeAtomically(path, `${JSON.stringify(credentials, null, 2)}\n`, PRIVATE)
  return credentials
}

/** A certificate of its own for the database's name in the cluster. */
export async function ensureCertificate(name: string): Promise<Certificate> {
  const folder = join(places.lab, 'certificate')
  const [certificate, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  if (!existsSync(certificate) || !existsSync(key)) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    const names = ['-subj', '/CN=postgres', '-addext', `subjectAltName=DNS:${name}`]
    await run([
      'openssl',
      'req',
      '-x509',
      ...curve,
      '-days',
      CERTIFICATE_DAYS,
      ...names,
      '-keyout',
      key,
      '-out',
      certificate,
    ])
  }
  return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') }
}
