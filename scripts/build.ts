// Makes one bundle of each action, and one of the command line, out of the TypeScript sources.
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Ajv } from 'ajv'
import standalone from 'ajv/dist/standalone/index.js'
import { bytes } from '../src/report/markdown.ts'
import { SCHEMA_OPTIONS } from '../src/schema.ts'
import { runProgram } from '../src/tools/program.ts'
import { actionNames, project } from './actions.ts'

/** One bundle: the compiled file it starts from, and the folder it is written to. */
type Bundle = { readonly name: string; readonly entry: string; readonly folder: string }

const COMPILED = 'build/js'
/** ncc takes a path like `out/…` in the code for a file to carry along where there is one, so it runs where there is none. */
const NCC_FOLDER = join(project, COMPILED)
const NCC = '@vercel/ncc/dist/ncc/cli.js'
const PROGRAM_LIMIT_S = 300
/** The bundler takes one processor and half a gigabyte; more at once only wait for each other. */
const AT_ONCE = 2
/**
 * Packages that say too little about themselves, and which of their modules do something by being loaded. Nine tenths of the Kubernetes
 * client are models of every kind of object, and half of what `@actions/core` brings asks for tokens of OpenID Connect: we use neither.
 */
const LOOSENED = { '@kubernetes/client-node': ['./dist/polyfill.js'], '@actions/core': [] }
/**
 * The HTTP client of the Kubernetes client's own requests. We make none of those: it reads kubeconfigs, logs in and runs commands in
 * pods by Node's own HTTP and WebSockets. It is as long as all else in a bundle, and takes a twentieth of a second to start.
 */
const LEFT_OUT = 'node_modules/@kubernetes/client-node/node_modules/undici'
const NO_HTTP_CLIENT = `
export function fetch() {
  throw new Error('the HTTP client undici is not in this bundle: scripts/build.ts leaves it out')
}
export class Agent { constructor() { fetch() } }
export class ProxyAgent extends Agent {}
`
/** What data is checked by, compiled from JSON Schemas. */
const CHECKS = ['src/environments/check.js', 'src/scan/policycheck.js']
/** What an action may load before it does anything: each megabyte takes a twentieth of a second. */
const START_BYTES = 1_000_000
/** What build-images may be, all its files together. */
const LEAN_BYTES = 2_000_000
/** The Kubernetes client names itself so to servers: that text is in every bundle that carries it. */
const KUBERNETES_CLIENT = 'kubernetes-client-javascript'

async function build(): Promise<void> {
  const started = Date.now()
  await rm(join(project, 'build'), { recursive: true, force: true })
  await runNode('typescript/bin/tsc', ['--project', 'tsconfig.build.json'], project)
  await loosenPackages()
  for (const file of CHECKS) await compileChecks(join(project, COMPILED, file))
  const waiting = await listBundles()
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      await makeBundle(next)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  await requireShortStarts()
  await requireLean()
  say(`built in ${secondsSince(started)}`)
}

/**
 * Puts a copy of each such package where the compiled files find it first, which says what is so but the original does not: that its
 * modules do nothing by being loaded. The bundler then leaves out what is not used: 2 MB a bundle, not 6.
 */
async function loosenPackages(): Promise<void> {
  for (const [name, sideEffects] of Object.entries(LOOSENED)) {
    const from = join('node_modules', name)
    const copy = join(project, COMPILED, from)
    const isCode = (path: string) => !path.endsWith('.ts') && !path.endsWith('.map')
    await cp(join(project, from), copy, { recursive: true, filter: isCode })
    const file = join(copy, 'package.json')
    const description = JSON.parse(await readFile(file, 'utf8')) as object
    await writeFile(file, JSON.stringify({ ...description, sideEffects }))
  }
  const folder = join(project, COMPILED, LEFT_OUT)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const description = { name: 'undici', type: 'module', main: 'index.js', sideEffects: false }
  await writeFile(join(folder, 'package.json'), JSON.stringify(description))
  await writeFile(join(folder, 'index.js'), NO_HTTP_CLIENT)
}

/** Puts what its schemas compile to in the place of such a file: a compiler in each bundle would take longer than all it checks. */
async function compileChecks(file: string): Promise<void> {
  const checks = (await import(pathToFileURL(file).href)) as Record<string, { schema: object }>
  const { code } = SCHEMA_OPTIONS
  const ajv = new Ajv({ ...SCHEMA_OPTIONS, code: { ...code, source: true } })
  const lines = await Promise.all(
    Object.entries(checks).map(async ([name, { schema }]) => {
      const compiled = file.replace(/\.js$/, `.${name}.cjs`)
      await writeFile(compiled, standalone.default(ajv, ajv.compile(schema)))
      return `import ${name}Compiled from './${basename(compiled)}'
export const ${name} = (data) => ${name}Compiled(data) ? [] : ${name}Compiled.errors
`
    }),
  )
  await writeFile(file, lines.join(''))
}

async function listBundles(): Promise<Bundle[]> {
  const actions = (await actionNames()).map((name) => ({
    name,
    entry: `actions/${name}/index.js`,
    folder: join(project, 'actions', name, 'dist'),
  }))
  const cli = { name: 'cli', entry: 'src/edge/main.js', folder: join(project, 'build/cli') }
  return [...actions, cli]
}

async function makeBundle({ name, entry, folder }: Bundle): Promise<void> {
  const started = Date.now()
  await rm(folder, { recursive: true, force: true })
  const options = ['--minify', '--license', 'licenses.txt', '--no-cache', '--quiet']
  const argv = ['build', entry, '--out', folder, ...options]
  await runNode(NCC, argv, NCC_FOLDER)
  const files = (await readdir(folder)).filter((file) => file.endsWith('.js'))
  for (const file of files) if (file !== 'index.js') await minifyChunk(join(folder, file))
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(folder, file))).size))
  const size = sizes.reduce((sum, one) => sum + one, 0)
  say(`${name.padEnd(14)}${bytes(size).padStart(7)}  ${secondsSince(started)}`)
}

/** What is loaded later is in files of its own, which the bundler leaves as long as they are: each goes through it once more. */
async function minifyChunk(file: string): Promise<void> {
  const folder = `${file}.out`
  const argv = ['build', file, '--out', folder, '--minify', '--no-cache', '--quiet']
  await runNode(NCC, argv, NCC_FOLDER)
  await rename(join(folder, 'index.js'), file)
  await rm(folder, { recursive: true })
}

/** A new import can bring a whole HTTP client with it. */
async function requireShortStarts(): Promise<void> {
  for (const name of await actionNames()) {
    const { size } = await stat(join(project, 'actions', name, 'dist/index.js'))
    if (size > START_BYTES)
      throw new Error(
        `The bundle of ${name} starts with ${bytes(size)}; ${bytes(START_BYTES)} is the most. Load what few runs need by import()`,
      )
  }
}

/** build-images speaks to no cluster, and must start fast. */
async function requireLean(): Promise<void> {
  const folder = join(project, 'actions/build-images/dist')
  let size = 0
  for (const file of (await readdir(folder)).filter((one) => one.endsWith('.js'))) {
    const code = await readFile(join(folder, file))
    size += code.length
    if (code.includes(KUBERNETES_CLIENT))
      throw new Error(
        'The bundle of build-images carries the Kubernetes client; find who imports it',
      )
  }
  if (size > LEAN_BYTES)
    throw new Error(
      `The bundle of build-images has ${bytes(size)}; ${bytes(LEAN_BYTES)} is the most`,
    )
}

/** Runs a program of `node_modules` with this Node. */
async function runNode(program: string, args: readonly string[], cwd: string): Promise<void> {
  const file = join(project, 'node_modules', program)
  const result = await runProgram(
    { argv: [process.execPath, file, ...args], cwd, timeoutSeconds: PROGRAM_LIMIT_S },
    new AbortController().signal,
  )
  if (result.status !== 0)
    throw new Error(`${program} failed:\n${result.stdout}${result.stderr}`.trim())
}

function secondsSince(started: number): string {
  return `${((Date.now() - started) / 1000).toFixed(1)} s`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

await build()
