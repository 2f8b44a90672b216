import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { attempt, run } from './command.ts'
import { LabError } from './failure.ts'
import { buildImage, hasImage } from './imagebuild.ts'
import { places } from './places.ts'
import { publishImage } from './registry.ts'

const BOOTSTRAP_SECONDS = 900
const IMPORT_SECONDS = 300
const NPM_SECONDS = 300
const BOOKWORM = 'todo-deploy/bookworm:minbase'
const NODE_VERSION = '24.21.0'
const NPM_VERSION = '11.21.1'

const rootArchive = join(places.work, 'bookworm.tar')
const nodePackages = join(places.work, `node-${NODE_VERSION}-npm-${NPM_VERSION}`)

export function hasDebianRoot(): boolean {
  return existsSync(rootArchive)
}

export function hasNode(): boolean {
  return existsSync(nodePackages)
}

/** Makes the file system of a small Debian 12, once: every image of the lab is layered on it. */
export async function bootstrapDebian(): Promise<void> {
  if (existsSync(rootArchive)) return
  mkdirSync(places.work, { recursive: true })
  const unfinished = join(places.work, 'unfinished.tar')
  const cut = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*']
  const exclude = cut.map((path) => `--dpkgopt=path-exclude=${path}`)
  await run(['mmdebstrap', '--variant=minbase', ...exclude, 'bookworm', unfinished], {
    timeoutSeconds: BOOTSTRAP_SECONDS,
    log: 'bookworm.log',
  })
  renameSync(unfinished, rootArchive)
}

export async function importDebian(host: string): Promise<void> {
  if (await hasImage(BOOKWORM, host)) return
  await run(
    ['docker', '--host', host, 'import', '--change', 'CMD ["bash"]', rootArchive, BOOKWORM],
    { timeoutSeconds: IMPORT_SECONDS },
  )
}

/** Fetches Node and npm for the image that stands in for Node's. */
export async function fetchNode(): Promise<void> {
  if (existsSync(nodePackages)) return
  const unfinished = `${nodePackages}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  const packages = [`node-linux-${process.arch}@${NODE_VERSION}`, `npm@${NPM_VERSION}`]
  await run(
    [
      'npm',
      'install',
      '--prefix',
      unfinished,
      '--no-save',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      ...packages,
    ],
    {
      cwd: unfinished,
      timeoutSeconds: NPM_SECONDS,
      log: 'node-packages.log',
    },
  )
  renameSync(unfinished, nodePackages)
}

/** The small Debian that trusts and asks what the host does. */
export async function debianImage(host: string): Promise<string> {
  const texts = {
    'ca-certificates.crt': hostCertificates(),
    'pip.conf': await pipSettings(),
    npmrc: await npmSettings(),
  }
  return buildImage({ name: 'debian', base: BOOKWORM, texts }, host)
}

export const publishedNames = {
  debian: 'library/debian:bookworm-slim',
  python: 'library/python:3.11-slim',
  node: 'library/node:24-alpine',
  postgres: 'library/postgres:15-bookworm',
  nginx: 'library/nginx:1.28-alpine',
} as const

export type BaseImage = keyof typeof publishedNames

/** Builds one of the stand-ins and publishes it in the lab's registry under the name of the official image. */
export async function publishBase(name: BaseImage, host: string): Promise<void> {
  const debian = await debianImage(host)
  const modules = join(nodePackages, 'node_modules')
  const copies = {
    node: join(modules, `node-linux-${process.arch}`, 'bin', 'node'),
    npm: join(modules, 'npm'),
  }
  const recipe =
    name === 'node' ? { name, base: debian, copies, key: nodePackages } : { name, base: debian }
  const image = name === 'debian' ? debian : await buildImage(recipe, host)
  await publishImage(image, publishedNames[name], host)
}

function hostCertificates(): string {
  const candidates = [
    process.env['SSL_CERT_FILE'],
    '/etc/ssl/certs/ca-certificates.crt',
    '/etc/pki/tls/certs/ca-bundle.crt',
  ]
  const path = candidates.find((one) => one !== undefined && existsSync(one))
  if (path === undefined)
    throw new LabError(
      'This machine has no list of trusted certificate authorities: apt-get install ca-certificates',
    )
  return readFileSync(path, 'utf8')
}

async function pipSettings(): Promise<string> {
  const { stdout } = await attempt(['python3', '-m', 'pip', 'config', 'get', 'global.index-url'])
  const index = withoutSecret(process.env['PIP_INDEX_URL'] ?? stdout.trim())
  return `[global]\ndisable-pip-version-check = true\n${index === '' ? '' : `index-url = ${index}\n`}`
}

async function npmSettings(): Promise<string> {
  const { stdout, code } = await attempt(['npm', 'config', 'get', 'registry'], { cwd: places.work })
  const registry = code === 0 ? withoutSecret(stdout.trim()) : ''
  return `audit=false\nfund=false\nupdate-notifier=false\n${/^https?:/.test(registry) ? `registry=${registry}\n` : ''}`
}

// An address with a password in it must not end up in an image.
function withoutSecret(address: string): string {
  return /\/\/[^/]*@/.test(address) ? '' : address
}
