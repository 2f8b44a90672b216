import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build, download, findBuilt, toolPath } from '../../lab/gotools.ts'
import { places } from '../../lab/places.ts'
import { UserError } from '../../src/errors.ts'

/** Paths of the registries that the client is tested against. */
export type RegistryPrograms = {
  /** Debian's build of distribution 2. */
  readonly v2: string
  /** distribution 3. */
  readonly v3: string
  /** Registries in memory that have the referrers API. */
  readonly referrers: string
}

const APT_MS = 300_000
const folder = join(places.cache, 'docker-registry-2')
const v2 = join(folder, 'usr', 'bin', 'docker-registry')

/** Fetches and compiles what is not there yet. Nothing is installed: Debian's package would start a service. */
export async function ensureRegistryPrograms(
  say: (line: string) => void,
): Promise<RegistryPrograms> {
  if (!existsSync(v2)) {
    say('fetching the Debian package docker-registry into the cache folder')
    unpackDebian()
  }
  if ((await findBuilt(['registry'])).length === 0) {
    say('compiling distribution 3 (some two minutes, once)')
    await download('registry')
  }
  await build('registry')
  return { v2, v3: toolPath('distribution'), referrers: toolPath('referrers-registry') }
}

function unpackDebian(): void {
  mkdirSync(places.cache, { recursive: true })
  const unfinished = mkdtempSync(`${folder}.`)
  const options = { cwd: unfinished, timeout: APT_MS, stdio: 'ignore' } as const
  try {
    try {
      execFileSync('apt-get', ['-q', 'download', 'docker-registry'], options)
    } catch {
      // The lists of packages are not there yet, or too old.
      execFileSync('apt-get', ['-q', 'update'], options)
      execFileSync('apt-get', ['-q', 'download', 'docker-registry'], options)
    }
    const [file = ''] = readdirSync(unfinished).filter((name) => name.endsWith('.deb'))
    execFileSync('dpkg-deb', ['--extract', file, unfinished], options)
    renameSync(unfinished, folder)
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    throw new UserError(
      'The Debian package docker-registry can\'t be fetched; check "apt-get download docker-registry"',
      [],
      { cause: error },
    )
  }
}
