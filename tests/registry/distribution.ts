import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificate, type TestCertificate } from './certificate.ts'
import { type Running, startProgram } from './running.ts'
import { type Issuer, startIssuer } from './issuer.ts'

export type Version = 'v2' | 'v3'
export type Guard = 'open' | 'basic' | 'token' | 'tls'

/** A distribution registry with storage of its own. */
export type Distribution = Running & {
  /** A folder with Docker's configuration that holds the login, where there is one. */
  readonly dockerConfig: string
  readonly certificate: TestCertificate | undefined
  readonly issuer: Issuer | undefined
}

export const USER = 'ann'
export const PASSWORD = 'pass:word'
/** bcrypt of PASSWORD: distribution takes no other hash, and Node makes none. */
const HTPASSWD = `${USER}:$2b$04$l//eJ5Is4xJTgvLPEAT5xe0/nbA5zRAJyksX5bwliTWyDzNU24TaK\n`

/** Starts the real thing, as its own documentation has it configured. */
export async function startDistribution(version: Version, guard: Guard): Promise<Distribution> {
  const folder = await mkdtemp(join(tmpdir(), `registry-${version}-`))
  const certificate = guard === 'tls' ? await makeCertificate(folder) : undefined
  const issuer = guard === 'token' ? await startIssuer(folder) : undefined
  const file = join(folder, 'config.yml')
  await writeFile(join(folder, 'htpasswd'), HTPASSWD)
  const config = {
    version: 0.1,
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: {
      addr: '127.0.0.1:0',
      secret: 'for tests',
      ...(certificate === undefined
        ? {}
        : { tls: { certificate: certificate.certificate, key: certificate.key } }),
    },
    ...(guard === 'basic'
      ? { auth: { htpasswd: { realm: 'test', path: join(folder, 'htpasswd') } } }
      : {}),
    ...(issuer === undefined ? {} : { auth: { token: issuer.settings } }),
  }
  await writeFile(file, JSON.stringify(config)) // JSON is YAML, too.
  const program = process.env[version === 'v2' ? 'REGISTRY_V2' : 'REGISTRY_V3'] ?? ''
  const running = await startProgram([program, 'serve', file])
  const auth = Buffer.from(`${USER}:${PASSWORD}`).toString('base64')
  const auths = guard === 'basic' || guard === 'token' ? { [running.registry]: { auth } } : {}
  await writeFile(join(folder, 'config.json'), JSON.stringify({ auths }))
  return {
    ...running,
    dockerConfig: folder,
    certificate,
    issuer,
    stop: async () => {
      await running.stop()
      await issuer?.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
