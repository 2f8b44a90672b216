import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '../errors.ts'
import { parseJson, textAt } from '../json.ts'
import { sha256 } from '../registry/client.ts'
import type { LayoutImage } from '../registry/layout.ts'
import type { World } from '../world.ts'
import { type Finding, parseFindings } from './findings.ts'
import type { ScanPolicy } from './policy.ts'

/** What a scan of one image gave. */
export type Scan = {
  readonly image: string
  readonly digest: string
  /** syft's own JSON: complete, and what grype reads best. */
  readonly sbomFile: string
  readonly findings: readonly Finding[]
  /** True where both SBOM and findings were there from an earlier scan of the same bytes and database. */
  readonly cached: boolean
}

/** The vulnerability database that answers: its content's name, its age and where it is. */
export type Database = {
  /** grype's folder, or an empty text for the one it fetches itself. */
  readonly folder: string
  readonly built: string
  readonly checksum: string
  /** Whole days since it was made. */
  readonly ageDays: number
  /** The version of grype that asks it. */
  readonly scanner: string
}

const SYFT_TIMEOUT_S = 600
const GRYPE_TIMEOUT_S = 600
const DAY_MS = 86_400_000
/** Scanners read files of strangers: they get nothing of our environment but this. */
const KEPT = ['PATH', 'HOME', 'TMPDIR', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'HTTPS_PROXY', 'NO_PROXY']

/**
 * Asks grype for its database, fetching it where `folder` is empty. No usable database is an error, never a pass; an old one is an
 * error or a warning, as the policy says.
 */
export async function openDatabase(
  folder: string,
  allowed: ScanPolicy['database'],
  world: World,
): Promise<Database> {
  const grype = await world.tools('grype')
  const ask = (...args: readonly string[]) =>
    world.run(
      { argv: [grype, ...args], env: scannerEnv(folder), timeoutSeconds: GRYPE_TIMEOUT_S },
      world.signal,
    )
  if (folder === '') {
    const update = await ask('db', 'update')
    if (update.status !== 0) throw noDatabase(folder, update.stderr)
  }
  const status = await ask('db', 'status', '-o', 'json')
  const answer = status.status === 0 ? parseJson(status.stdout, 'grype db status') : undefined
  const built = textAt(answer, 'built')
  if (built === undefined) throw noDatabase(folder, status.stderr)
  const checksum = textAt(answer, 'checksum') ?? sha256(Buffer.from(status.stdout))
  const ageDays = Math.floor((world.clock.now().getTime() - Date.parse(built)) / DAY_MS)
  if (!(ageDays <= allowed.maxAgeDays)) reportStale({ built, ageDays }, allowed, world)
  const version = await ask('version', '-o', 'json')
  const scanner = textAt(parseJson(version.stdout || '{}', 'grype version'), 'version') ?? ''
  return { folder, built, checksum, ageDays, scanner }
}

function reportStale(
  database: { readonly built: string; readonly ageDays: number },
  { maxAgeDays, whenStale }: ScanPolicy['database'],
  world: World,
): void {
  const fact = `The vulnerability database is of ${database.built}, ${database.ageDays} days old; the policy allows ${maxAgeDays}`
  if (whenStale === 'fail')
    throw new UserError(`${fact}: let it be fetched anew, or allow more with database.max-age-days`)
  world.progress.warn(`${fact}. What was found since is not known to it`)
}

/** What is scanned: an image by digest, with its bytes where the SBOM is not known yet. */
export type ScanTarget = {
  readonly name: string
  readonly digest: string
  readonly layout: LayoutImage | undefined
  readonly cacheFolder: string
}

/** True where the SBOM of these bytes was made before, so that they need not be fetched to be scanned. */
export async function hasSbom(digest: string, cacheFolder: string): Promise<boolean> {
  return (await readIfThere(sbomPath(digest, cacheFolder))) !== undefined
}

/** Makes the SBOM of an image once, then matches it against the database. */
export async function scanImage(
  target: ScanTarget,
  database: Database,
  world: World,
): Promise<Scan> {
  const { digest } = target
  const sbomFile = sbomPath(digest, target.cacheFolder)
  const known = await readIfThere(sbomFile)
  if (known === undefined) await makeSbom(target, sbomFile, world)
  const data = sha256(Buffer.from(database.checksum)).slice(7, 23)
  const matchFile = join(dirname(sbomFile), `grype-${data}.json`)
  const matched = await readIfThere(matchFile)
  const report = matched ?? (await matchSbom({ ...target, sbomFile, matchFile }, database, world))
  return {
    image: target.name,
    digest,
    sbomFile,
    findings: parseFindings(report, target.name),
    cached: known !== undefined && matched !== undefined,
  }
}

/** Where the SBOM of these bytes is kept, once it was made. */
export function sbomPath(digest: string, cacheFolder: string): string {
  return join(cacheFolder, digest.replace(':', '-'), 'sbom.syft.json')
}

async function makeSbom(target: ScanTarget, file: string, world: World): Promise<void> {
  const { name, layout } = target
  if (layout === undefined) throw new Error(`the bytes of ${name} were not fetched`)
  const syft = await world.tools('syft')
  const result = await world.run(
    {
      argv: [
        syft,
        'scan',
        `oci-dir:${layout.folder}`,
        '--source-name',
        target.name,
        '-q',
        '-o',
        'syft-json',
      ],
      env: { ...scannerEnv(''), SYFT_CHECK_FOR_APP_UPDATE: 'false' },
      timeoutSeconds: SYFT_TIMEOUT_S,
    },
    world.signal,
  )
  if (result.status !== 0) throw failed('syft', target.name, result.stderr)
  await writeWhole(file, result.stdout)
}

async function matchSbom(
  target: { readonly name: string; readonly sbomFile: string; readonly matchFile: string },
  database: Database,
  world: World,
): Promise<string> {
  const grype = await world.tools('grype')
  const result = await world.run(
    {
      argv: [grype, `sbom:${target.sbomFile}`, '-q', '-o', 'json'],
      env: scannerEnv(database.folder),
      timeoutSeconds: GRYPE_TIMEOUT_S,
    },
    world.signal,
  )
  if (result.status !== 0) throw failed('grype', target.name, result.stderr)
  await writeWhole(target.matchFile, result.stdout)
  return result.stdout
}

function scannerEnv(folder: string): Record<string, string> {
  const kept = Object.fromEntries(
    KEPT.flatMap((key) => {
      const value = process.env[key]
      return value === undefined ? [] : [[key, value]]
    }),
  )
  const given = { GRYPE_DB_CACHE_DIR: folder, GRYPE_DB_VALIDATE_AGE: 'false' }
  return {
    ...kept,
    GRYPE_CHECK_FOR_APP_UPDATE: 'false',
    GRYPE_DB_AUTO_UPDATE: 'false',
    ...(folder === '' ? {} : given),
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  return await readFile(file, 'utf8').catch(() => undefined) // Absent is the normal case.
}

/** A killed run must not leave half a file that the next run believes. */
async function writeWhole(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(`${file}.part`, text)
  await rename(`${file}.part`, file)
}

function failed(tool: string, image: string, stderr: string): UserError {
  return new UserError(`${tool} could not scan ${image}; nothing was published`, lastLines(stderr))
}

function noDatabase(folder: string, stderr: string): UserError {
  const way =
    folder === ''
      ? 'check the network, or give a database folder as vulnerability-db'
      : `check that ${folder} holds a grype database`
  return new UserError(`There is no vulnerability database: ${way}`, lastLines(stderr))
}

function lastLines(text: string): string[] {
  return text.trim().split('\n').slice(-10)
}
