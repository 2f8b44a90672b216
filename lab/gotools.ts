import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { attempt, run } from './command.ts'
import { LabError } from './failure.ts'
import { keyOf, keyOfFolders, readJson, sha256OfFile, writeAtomically } from './files.ts'
import type { Program } from './gomodules.ts'
import { places } from './places.ts'
import { folderOf, linkerFlags, programsOf, tagFlags, versionOf } from './toolset.ts'
import type { ModuleName } from './toolset.ts'

export interface Tool {
  readonly version: string
  readonly path: string
  readonly sha256: string
}

export type Manifest = Readonly<Record<string, Tool>>

const OLDEST_GO = [1, 26] as const
const environment = { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' }
const flags = ['-trimpath', '-buildvcs=false']
const DOWNLOAD_SECONDS = 1200
const COMPILE_SECONDS = 3600

let goVersion: Promise<string> | undefined

/** The version of the Go on this machine; throws one clear sentence where it is missing or too old. */
export function checkGo(): Promise<string> {
  goVersion ??= readGoVersion()
  return goVersion
}

async function readGoVersion(): Promise<string> {
  const { code, stdout } = await attempt(['go', 'env', 'GOVERSION'])
  const need = `Go ${OLDEST_GO.join('.')} or newer is needed to compile the lab's tools where no container registry can be reached`
  if (code !== 0)
    throw new LabError(
      `${need}, and there is no "go" on PATH: install it from https://go.dev/dl/ and start again.`,
    )
  const [major = 0, minor = 0] = stdout.trim().replace(/^go/, '').split('.').map(Number)
  if (major < OLDEST_GO[0] || (major === OLDEST_GO[0] && minor < OLDEST_GO[1])) {
    throw new LabError(
      `${need}, and this is ${stdout.trim()}: install a newer one and start again.`,
    )
  }
  return stdout.trim()
}

/** What is kept outside the lab's cache folder when Go compiles, in one line; undefined where nothing is to be compiled. */
export async function outsideCaches(names: readonly ModuleName[]): Promise<string | undefined> {
  if ((await findBuilt(names)).length === names.length) return undefined
  const { stdout } = await attempt(['go', 'env', 'GOMODCACHE', 'GOCACHE'])
  const folders = stdout.trim().split('\n').join(' and ')
  return `Go keeps sources and objects in its own caches, up to 13 GB in ${folders}; "go clean -cache -modcache" empties them`
}

/** True when every program of the module is in the cache as it would be compiled now. */
async function isBuilt(name: ModuleName): Promise<boolean> {
  for (const [program, how] of Object.entries(programsOf(name))) {
    if (!existsSync(join(await homeOf(name, program, how), program))) return false
  }
  return true
}

/** The modules whose programs are all in the cache. */
export async function findBuilt(names: readonly ModuleName[]): Promise<ModuleName[]> {
  const built = await Promise.all(names.map(isBuilt))
  return names.filter((_, at) => built[at])
}

/** Fetches what the module's programs are made of, so that compiling needs no network. */
export async function download(name: ModuleName): Promise<void> {
  if (await isBuilt(name)) return
  const packages = Object.values(programsOf(name)).map((how) => how.package)
  await run(['go', 'list', ...tagFlags(name), '-deps', '-f', '', ...packages], {
    cwd: folderOf(name),
    env: environment,
    timeoutSeconds: DOWNLOAD_SECONDS,
    log: `go-${name}.log`,
  })
}

/** Compiles what is not in the cache and writes every program of the module into the manifest. */
export async function build(name: ModuleName): Promise<void> {
  for (const [program, how] of Object.entries(programsOf(name))) {
    const folder = await homeOf(name, program, how)
    if (!existsSync(join(folder, program))) await compile(name, program, folder)
    await announce(name, program, folder)
  }
}

async function homeOf(name: ModuleName, program: string, how: Program): Promise<string> {
  const version = versionOf(name, how)
  const key = keyOf(
    await checkGo(),
    keyOfFolders(folderOf(name)),
    [...flags, ...tagFlags(name)].join(' '),
    linkerFlags(how, version),
    how.package,
  )
  return join(places.tools, `${program}-${version}-${key}`)
}

async function compile(name: ModuleName, program: string, folder: string): Promise<void> {
  const how = programsOf(name)[program]
  if (how === undefined) throw new TypeError(`no program ${program} in ${name}`)
  const unfinished = `${folder}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  const argv = ['go', 'build', ...flags, ...tagFlags(name)]
  const link = ['-ldflags', linkerFlags(how, versionOf(name, how))]
  await run([...argv, ...link, '-o', join(unfinished, program), how.package], {
    cwd: folderOf(name),
    env: environment,
    timeoutSeconds: COMPILE_SECONDS,
    log: `go-${name}.log`,
    polite: true,
  })
  removeOlder(program)
  renameSync(unfinished, folder)
}

// One version of each program is kept: the whole set is some 0.7 GB.
function removeOlder(program: string): void {
  for (const entry of readdirSync(places.tools)) {
    const older = entry.startsWith(`${program}-v`) && !entry.endsWith('.unfinished')
    if (older) rmSync(join(places.tools, entry), { recursive: true, force: true })
  }
}

async function announce(name: ModuleName, program: string, folder: string): Promise<void> {
  const how = programsOf(name)[program]
  if (how === undefined) return
  const version = versionOf(name, how)
  const names = [program, ...(how.alsoCalled ?? [])]
  const known = readManifest()
  if (names.every((called) => known[called]?.path === join(folder, called))) return
  for (const other of how.alsoCalled ?? []) {
    if (!existsSync(join(folder, other))) symlinkSync(program, join(folder, other))
  }
  const sha256 = await sha256OfFile(join(folder, program))
  const tools = names.map((called): [string, Tool] => [
    called,
    { version, path: join(folder, called), sha256 },
  ])
  const manifest = { ...readManifest(), ...Object.fromEntries(tools) }
  writeAtomically(places.manifest, `${JSON.stringify(manifest, null, 2)}\n`)
}

export function readManifest(): Manifest {
  return (readJson(places.manifest) ?? {}) as Manifest
}

/** The path of a tool that is ready; throws when it is not in the manifest. */
export function toolPath(name: string): string {
  const tool = readManifest()[name]
  if (tool === undefined || !existsSync(tool.path))
    throw new LabError(`The tool ${name} is not ready: run "npm run lab:up" first.`)
  return tool.path
}

/** The folder of a module's source in Go's own cache, fetched when it is not there. */
export async function moduleSource(name: ModuleName, module: string): Promise<string> {
  const options = { cwd: folderOf(name), env: environment, timeoutSeconds: DOWNLOAD_SECONDS }
  await run(['go', 'mod', 'download', module], options)
  return (await run(['go', 'list', '-m', '-f', '{{.Dir}}', module], options)).trim()
}

/** Copies a tool to a path that stays the same when its version changes. */
export function installTool(name: string, path: string): void {
  const beside = `${path}.new`
  cpSync(toolPath(name), beside)
  renameSync(beside, path)
}
