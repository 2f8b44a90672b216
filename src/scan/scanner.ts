import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, stat, statfs, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { diskFull, UserError } from '../errors.ts'
import { parseJson, textAt } from '../json.ts'
import { sha256 } from '../registry/client.ts'
import type { LayoutImage } from '../registry/layout.ts'
import type { World } from '../world.ts'
import { fetcherEnvironment, scannerEnvironment } from './environment.ts'
import { type Finding, parseFindings } from './findings.ts'
import { type HistoryEntry, parseHistory } from './history.ts'
import type { ScanPolicy } from './policy.ts'

/** What a scan of one image gave. */
export type Scan = {
  readonly image: string
  readonly digest: string
  /** One for each platform. */
  readonly sboms: readonly [Sbom, ...Sbom[]]
  readonly findings: readonly Finding[]
  /** How the image came to be, the oldest first; for its first platform. */
  readonly history: readonly HistoryEntry[]
  /** True where both SBOM and findings were there from an earlier scan of the same bytes and database. */
  readonly cached: boolean
}

/** What is in an image of one platform. */
export type Sbom = {
  /** Such as `linux/arm64`; empty for an image that has one only. */
  readonly platform: string
  /** Of the manifest of this platform. */
  readonly digest: string
  /** syft's own JSON: complete, and what grype reads best. */
  readonly file: string
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
/** Bytes: no SBOM is smaller. */
const LEAST_ROOM = 64 * 1024

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
  const run = (args: readonly string[], env: Readonly<Record<string, string>>) =>
    world.run({ argv: [grype, ...args], env, timeoutSeconds: GRYPE_TIMEOUT_S }, world.signal)
  const ask = (...args: readonly string[]) => run(args, environmentFor(folder))
  if (folder === '') {
    const update = await run(['db', 'update'], fetcherEnvironment(process.env))
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
  /** Of its manifest, not of an index. */
  readonly digest: string
  readonly platform?: string
  readonly layout: LayoutImage | undefined
  readonly cacheFolder: string
  /** How many processors may look into it at a time; undefined: all. */
  readonly processors?: number | undefined
}

/** True where the SBOM of these bytes was made before, so that they need not be fetched to be scanned. */
export async function hasSbom(digest: string, cacheFolder: string): Promise<boolean> {
  return await isThere(sbomPath(digest, cacheFolder))
}

/** Makes the SBOM of an image, unless it was made before. */
export async function ensureSbom(target: ScanTarget, world: World): Promise<void> {
  const file = sbomPath(target.digest, target.cacheFolder)
  if (!(await isThere(file))) await makeSbom(target, file, world)
}

/** Makes the SBOM of an image once, then matches it against the database. */
export async function scanImage(
  target: ScanTarget,
  database: Database,
  world: World,
): Promise<Scan> {
  const { digest } = target
  const sbomFile = sbomPath(digest, target.cacheFolder)
  await ensureSbom(target, world)
  const data = sha256(Buffer.from(`${database.checksum} ${database.scanner}`)).slice(7, 23)
  const matchFile = join(dirname(sbomFile), `grype-${data}.json`)
  const matched = await readIfThere(matchFile)
  const text = matched ?? (await matchSbom({ ...target, sbomFile, matchFile }, database, world))
  const report = parseJson(text, `the scan of ${target.name}`)
  return {
    image: target.name,
    digest,
    sboms: [{ platform: target.platform ?? '', digest, file: sbomFile }],
    findings: parseFindings(report),
    history: parseHistory(report),
    cached: matched !== undefined,
  }
}

/** Where the SBOM of these bytes is kept, once it was made. */
export function sbomPath(digest: string, cacheFolder: string): string {
  return join(cacheFolder, digest.replace(':', '-'), 'sbom.syft.json')
}

/** Where the same is as SPDX, for those who read nothing else; only where it was made on this machine. */
export function spdxPath(sbomFile: string): string {
  return join(dirname(sbomFile), 'sbom.spdx.json')
}

async function makeSbom(target: ScanTarget, file: string, world: World): Promise<void> {
  const { name, layout } = target
  if (layout === undefined) throw new Error(`the bytes of ${name} were not fetched`)
  const syft = await world.tools('syft')
  await mkdir(dirname(file), { recursive: true })
  // Names of its own: two images of the same bytes may be looked at at the same time.
  const [part, spdxPart] = [`${file}.${randomUUID()}`, `${spdxPath(file)}.${randomUUID()}`]
  const from = [`oci-dir:${layout.folder}`, '--source-name', target.name]
  const to = ['-o', `syft-json=${part}`, '-o', `spdx-json=${spdxPart}`]
  const result = await world.run(
    {
      argv: [syft, 'scan', ...from, '-q', ...to],
      env: { ...scannerEnvironment(process.env), ...limitTo(target.processors) },
      timeoutSeconds: SYFT_TIMEOUT_S,
      isNice: true,
    },
    world.signal,
  )
  if (result.status !== 0 && (await isFull(dirname(file)))) throw diskFull([result.stderr.trim()])
  if (result.status !== 0) throw failed('syft', target.name, result.stderr)
  await rename(spdxPart, spdxPath(file))
  await rename(part, file)
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
      // The database was read through, and found to be whole, when it was opened.
      env: { ...environmentFor(database.folder), GRYPE_DB_VALIDATE_BY_HASH_ON_START: 'false' },
      timeoutSeconds: GRYPE_TIMEOUT_S,
    },
    world.signal,
  )
  if (result.status !== 0) throw failed('grype', target.name, result.stderr)
  await writeWhole(target.matchFile, result.stdout)
  return result.stdout
}

/** What a program written in Go reads. */
function limitTo(processors: number | undefined): Readonly<Record<string, string>> {
  return processors === undefined ? {} : { GOMAXPROCS: String(processors) }
}

function environmentFor(folder: string): Readonly<Record<string, string>> {
  const environment = scannerEnvironment(process.env)
  if (folder === '') return environment
  return { ...environment, GRYPE_DB_CACHE_DIR: folder, GRYPE_DB_VALIDATE_AGE: 'false' }
}

/** syft does not say why it could not write. */
async function isFull(folder: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize < LEAST_ROOM
}

async function isThere(file: string): Promise<boolean> {
  return await stat(file).then(
    (found) => found.isFile(),
    () => false, // Absent is the normal case.
  )
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
