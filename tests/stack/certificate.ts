import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type Certificate = { readonly certificate: string; readonly key: string }

/** A certificate for one host that nobody else believes. */
export function makeCertificate(host: string): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'))
  const [out, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const names = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`]
  try {
    execFileSync(
      'openssl',
      ['req', '-x509', ...curve, '-days', '2', ...names, '-keyout', key, '-out', out],
      { stdio: 'ignore', timeout: 20_000 },
    )
    return { certificate: readFileSync(out, 'utf8'), key: readFileSync(key, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
