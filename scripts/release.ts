// Assembles what users of the actions get: the release tree in `out/release`. The same sources give the same files.
import { existsSync } from 'node:fs'
import { chmod, copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseYaml } from '../src/yaml.ts'
import { at } from '../src/json.ts'
import { actionNames, project } from './actions.ts'

const TREE = join(project, 'out/release')
const WORKFLOWS = '.github/workflows'
const COMMAND_LINE = 'bin/todo-deploy.mjs'
/** What a bundle folder holds; anything else is something the bundler took along by mistake. */
const BUNDLE = ['index.js', 'licenses.txt', 'package.json']
/** A part of a bundle that is loaded only where it is needed, such as keyless signing. */
const CHUNK = /^\d+\.index\.js$/
const PAPERS = ['LICENSE', 'README.md', 'CHANGELOG.md', 'SECURITY.md']

async function assemble(): Promise<void> {
  await rm(TREE, { recursive: true, force: true })
  const actions = await actionNames()
  for (const name of actions) await takeAction(`actions/${name}`)
  await takeCommandLine()
  await takePackage()
  await cp(join(project, 'schemas'), join(TREE, 'schemas'), { recursive: true })
  for (const file of PAPERS) if (existsSync(join(project, file))) await take(file)
  for (const file of await reusableWorkflows()) await take(`${WORKFLOWS}/${file}`)
  process.stdout.write(`out/release holds ${actions.join(', ')} and ${COMMAND_LINE}\n`)
}

async function takeAction(folder: string): Promise<void> {
  const bundle = await requireBundle(`${folder}/dist`)
  const files = ['action.yml', 'README.md', ...bundle.map((name) => `dist/${name}`)]
  for (const file of files) await take(`${folder}/${file}`)
}

/** One file that Node starts by itself, wherever it is copied to; only keyless signing needs the others beside it. */
async function takeCommandLine(): Promise<void> {
  const chunks = (await requireBundle('build/cli')).filter((name) => CHUNK.test(name))
  const bundle = await readFile(join(project, 'build/cli/index.js'), 'utf8')
  const file = join(TREE, COMMAND_LINE)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `#!/usr/bin/env node\n${bundle}`)
  await chmod(file, 0o755)
  for (const name of ['licenses.txt', ...chunks])
    await copyFile(join(project, 'build/cli', name), join(TREE, 'bin', name))
}

/** The bundles carry all they need, so the package of the release depends on nothing. */
async function takePackage(): Promise<void> {
  const all = JSON.parse(await readFile(join(project, 'package.json'), 'utf8')) as Record<
    string,
    unknown
  >
  const { name, version, description, license, type, engines } = all
  const bin = { 'todo-deploy': COMMAND_LINE }
  const kept = { name, version, description, license, type, bin, engines }
  await writeFile(join(TREE, 'package.json'), `${JSON.stringify(kept, null, 2)}\n`)
}

/** Workflows that other repositories may call; the rest is this repository's own. */
async function reusableWorkflows(): Promise<readonly string[]> {
  const files = (await readdir(join(project, WORKFLOWS))).sort()
  const texts = await Promise.all(
    files.map((file) => readFile(join(project, WORKFLOWS, file), 'utf8')),
  )
  return files.filter(
    (_, index) => at(parseYaml(texts[index] ?? ''), 'on', 'workflow_call') !== undefined,
  )
}

/** The files of a bundle. Throws where one is missing, or where there is one that nobody expects. */
async function requireBundle(folder: string): Promise<readonly string[]> {
  const found = await readdir(join(project, folder)).catch((): string[] => [])
  if (found.length === 0) throw new Error(`There is no ${folder}; run "npm run build" first`)
  const wrong = [...found, ...BUNDLE].filter(
    (name) => !(BUNDLE.includes(name) || CHUNK.test(name)) || !found.includes(name),
  )
  if (wrong.length > 0)
    throw new Error(`${folder} should hold ${BUNDLE.join(', ')}; look at ${wrong.join(', ')}`)
  return found
}

async function take(file: string): Promise<void> {
  const target = join(TREE, file)
  await mkdir(dirname(target), { recursive: true })
  await copyFile(join(project, file), target)
}

await assemble()
