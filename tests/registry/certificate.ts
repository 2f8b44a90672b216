import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Paths of a key and a certificate for 127.0.0.1 and registry.test, and the authority (PEM) that it is of: itself. */
export type TestCertificate = {
  readonly certificate: string
  readonly key: string
  readonly authority: string
}

export async function makeCertificate(folder: string): Promise<TestCertificate> {
  const [certificate, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...[
      '-days',
      '2',
      '-subj',
      '/CN=registry test',
      '-addext',
      'subjectAltName=IP:127.0.0.1,DNS:registry.test',
    ],
    ...['-keyout', key, '-out', certificate],
  ])
  return { certificate, key, authority: await readFile(certificate, 'utf8') }
}
