import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './command.ts'
import { keyOf, sha256OfFile } from './files.ts'
import { toolPath } from './gotools.ts'
import { places, source } from './places.ts'

const advisories = join(source, 'tools', 'supply', 'vulndb', 'advisories.json')

/** A policy refuses a database of more than five days; this one is as good on any day, so it is made anew in time. */
const FRESH_MS = 2 * 86_400_000

/** grype's folder of vulnerability data, in the cache. */
export const vulnerabilityFolder: string = join(places.cache, 'vulnerabilities')

/** Writes the fixture of a few real advisories as a database that grype reads, unless it is there. */
export async function ensureVulnerabilities(): Promise<void> {
  const key = keyOf(await sha256OfFile(advisories), toolPath('vulndb'), toolPath('grype'))
  const mark = join(vulnerabilityFolder, `made-${key}`)
  if (existsSync(mark) && Date.now() - statSync(mark).mtimeMs < FRESH_MS) return
  rmSync(vulnerabilityFolder, { recursive: true, force: true })
  const made = join(places.work, 'vulndb')
  rmSync(made, { recursive: true, force: true })
  await run([toolPath('vulndb'), advisories, made])
  mkdirSync(vulnerabilityFolder, { recursive: true })
  const env = {
    GRYPE_DB_CACHE_DIR: vulnerabilityFolder,
    GRYPE_DB_AUTO_UPDATE: 'false',
    GRYPE_CHECK_FOR_APP_UPDATE: 'false',
  }
  await run([toolPath('grype'), 'db', 'import', join(made, 'vulnerability.db')], {
    env,
    log: 'vulnerabilities.log',
  })
  mkdirSync(mark)
}
