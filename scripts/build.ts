// Makes one bundle of each action, and one of the command line, out of the TypeScript sources.
import { cp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bytes } from '../src/report/markdown.ts'
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
/** Nine tenths of it are models of every kind of object, which we never use. */
const KUBERNETES_PACKAGE = 'node_modules/@kubernetes/client-node'
/** What build-images may be, all its files together. */
const LEAN_BYTES = 2_000_000
/** The Kubernetes client names itself so to servers: that text is in every bundle that carries it. */
const KUBERNETES_CLIENT = 'kubernetes-client-javascript'

async function build(): Promise<void> {
  const started = Date.now()
  await rm(join(project, 'build'), { recursive: true, force: true })
  await runNode('typescript/bin/tsc', ['--project', 'tsconfig.build.json'], project)
  await loosenKubernetesClient()
  const waiting = await listBundles()
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      await makeBundle(next)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  await requireLean()
  say(`built in ${secondsSince(started)}`)
}

/**
 * Puts a copy of the Kubernetes client where the compiled files find it first, which says what is so but the original does not:
 * that its modules do nothing by being loaded. The bundler then leaves out what is not used: 2 MB a bundle, not 6.
 */
async function loosenKubernetesClient(): Promise<void> {
  const copy = join(project, COMPILED, KUBERNETES_PACKAGE)
  const isCode = (path: string) => !path.endsWith('.ts') && !path.endsWith('.map')
  await cp(join(project, KUBERNETES_PACKAGE), copy, { recursive: true, filter: isCode })
  const file = join(copy, 'package.json')
  const text = await readFile(file, 'utf8')
  const description = { ...(JSON.parse(text) as object), sideEffects: ['./dist/polyfill.js'] }
  await writeFile(file, JSON.stringify(description))
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
