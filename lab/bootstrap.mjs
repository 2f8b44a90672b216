// Runs a script of the project on a machine that has only Node 20 and npm: gets Node 24 and the project's packages first.
//   node lab/bootstrap.mjs SCRIPT [ARGUMENT...]
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NODE_VERSION = '24.21.0'
const LONGEST_INSTALL_MS = 600_000
const QUIET = ['--no-audit', '--no-fund', '--loglevel=error']
const project = dirname(dirname(fileURLToPath(import.meta.url)))

/** What the reader can cure: shown without a stack. */
class Unable extends Error {}

function main([script, ...rest]) {
  if (!script) throw new Unable('Name a script: node lab/bootstrap.mjs SCRIPT [ARGUMENT...]')
  const node = prepare()
  const argv = [join(process.cwd(), script), ...rest]
  const child = spawn(node, argv, { stdio: 'inherit', env: environment(node) })
  // A terminal interrupts both; what is sent to this process alone is passed on. The script decides how it ends.
  process.on('SIGINT', () => undefined)
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (failure) => say(`${script} could not be started: ${failure.message}`))
  child.on('close', (code) => (process.exitCode = code ?? 1))
}

function prepare() {
  const npm = findNpm()
  const lock = takeLock()
  try {
    const node = ensureNode(npm)
    ensurePackages(node, npm)
    return node
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

/** The path of a Node 24: this one, or one from the npm registry in the project's own folder. */
function ensureNode(npm) {
  if (Number.parseInt(process.versions.node, 10) >= 24) return process.execPath
  const name = `node-${process.platform}-${process.arch}`
  const folder = join(project, '.node')
  const node = join(folder, 'node_modules', name, 'bin', 'node')
  if (versionOf(node) === `v${NODE_VERSION}`) return node
  say(`this is Node ${process.versions.node}; fetching Node ${NODE_VERSION} into ${folder} (10 s)`)
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const install = ['install', '--no-save', '--ignore-scripts', `${name}@${NODE_VERSION}`]
  const problem = `Node ${NODE_VERSION} could not be fetched from the npm registry`
  runNpm({ node: process.execPath, npm, cwd: folder, problem }, install)
  if (versionOf(node) === `v${NODE_VERSION}`) return node
  throw new Unable(`The npm package ${name} holds no Node that runs here: install Node 24 by hand.`)
}

function versionOf(node) {
  return existsSync(node) && spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim()
}

/** Installs the project's packages where they are missing or of another lock file. */
function ensurePackages(node, npm) {
  const mark = join(project, 'node_modules', '.lock-hash')
  const lockFile = readFileSync(join(project, 'package-lock.json'))
  const hash = createHash('sha256').update(lockFile).digest('hex')
  if (existsSync(mark) && readFileSync(mark, 'utf8') === hash) return
  say('installing the npm packages of the project (30 s)')
  const problem = 'The npm packages of the project could not be installed'
  runNpm({ node, npm, cwd: project, problem }, ['ci'])
  writeFileSync(mark, hash)
}

function runNpm({ node, npm, cwd, problem }, args) {
  const limits = { timeout: LONGEST_INSTALL_MS, maxBuffer: 64 * 1024 * 1024 }
  const options = { cwd, env: environment(node), encoding: 'utf8', ...limits }
  const { status, stdout, stderr } = spawnSync(node, [npm, ...args, ...QUIET], options)
  if (status === 0) return
  const said = `${stderr}\n${stdout}`.split('\n').filter((line) => line.trim() !== '')
  throw new Unable([`${problem}; npm says:`, ...said.slice(0, 6)].join('\n'))
}

function environment(node) {
  return { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` }
}

/** npm's own program, so that another Node can run it than the one it was installed with. */
function findNpm() {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const candidates = [process.env.npm_execpath, ...folders.map((folder) => join(folder, 'npm'))]
  for (const candidate of candidates) {
    const path = candidate && existsSync(candidate) ? realpathSync(candidate) : ''
    if (path.endsWith('npm-cli.js')) return path
  }
  throw new Unable('There is no npm on PATH: install Node 20 or newer together with npm.')
}

/** One preparation at a time; a lock whose process has ended, or that is older than any, is broken. */
function takeLock() {
  const lock = join(project, '.node', 'bootstrap.lock')
  const owner = join(lock, 'pid')
  const deadline = Date.now() + LONGEST_INSTALL_MS
  mkdirSync(dirname(lock), { recursive: true })
  for (let told = false; ; told = true) {
    try {
      mkdirSync(lock)
      writeFileSync(owner, String(process.pid))
      return lock
    } catch (failure) {
      if (failure.code !== 'EEXIST') throw new Unable(`${lock} cannot be made: ${failure.message}`)
    }
    if (!told) say('another process prepares this project: waiting for it')
    sleep(500)
    if (!isAlive(owner) || Date.now() > deadline) rmSync(lock, { recursive: true, force: true })
  }
}

function sleep(milliseconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

function isAlive(file) {
  try {
    return process.kill(Number(readFileSync(file, 'utf8')), 0)
  } catch {
    return false // no such file or no such process
  }
}

function say(line) {
  process.stderr.write(`bootstrap: ${line}\n`)
}

try {
  main(process.argv.slice(2))
} catch (failure) {
  if (!(failure instanceof Unable)) throw failure
  say(failure.message)
  process.exitCode = 1
}
