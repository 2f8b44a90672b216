import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, renameSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { releasedTools } from '../lab/online.ts'
import { places } from '../lab/places.ts'
import { UserError } from '../src/errors.ts'
import { parseJson, textAt } from '../src/json.ts'
import type { ToolName } from '../src/world.ts'

/** Version of the workflow auditor; it comes from the Python package index. */
const ZIZMOR = '1.32.0'
const KUBERNETES = '1.34.4'
const APT_TIMEOUT_MS = 900_000
/** Where the definitions of the custom kinds in k8s/ are found: Go module, version, files. */
const CUSTOM_KINDS = [
  {
    module: 'sigs.k8s.io/gateway-api@v1.4.0',
    files: ['config/crd/standard/gateway.networking.k8s.io_httproutes.yaml'],
  },
  {
    module: 'github.com/external-secrets/external-secrets@v0.19.2',
    files: [
      'config/crds/bases/external-secrets.io_externalsecrets.yaml',
      'config/crds/bases/external-secrets.io_secretstores.yaml',
    ],
  },
]
const schemas = join(places.cache, `schemas-${KUBERNETES}-with-custom-kinds`)

/** Programs that the lab compiles on both of its ways, and what makes it do so. */
const labOnly = {
  act: 'npm run lab:up -- workflows',
  actionlint: 'npm run lab:up -- workflows',
  promtool: 'npm run lab:up -- monitoring',
} as const
type LabOnly = keyof typeof labOnly

function isLabOnly(name: string): name is LabOnly {
  return Object.hasOwn(labOnly, name)
}

/** Programs that only tests use: where they are once `ensureTestPrograms` is through. */
export const testPrograms = {
  venv: join(places.cache, 'app-venv'),
  zizmor: join(places.cache, `zizmor-${ZIZMOR}`, 'bin', 'zizmor'),
  /** A program of the lab: compiled by it, or the released one. */
  tool: async (name: LabOnly | ToolName): Promise<string> => {
    const manifest = await readFile(places.manifest, 'utf8').catch(() => '{}')
    const compiled = textAt(parseJson(manifest, places.manifest), name, 'path')
    if (compiled !== undefined) return compiled
    if (isLabOnly(name)) throw new UserError(`The lab has no ${name}: run "${labOnly[name]}"`)
    return await releasedTools(name)
  },
  kubernetesSchemas: async (): Promise<Readonly<Record<string, string>>> => ({
    KUSTOMIZE: await testPrograms.tool('kustomize'),
    KUBECONFORM: await testPrograms.tool('kubeconform'),
    KUBECONFORM_SCHEMAS: `${schemas}/{{.ResourceKind}}{{.KindSuffix}}.json`,
  }),
}

/** Installs what the tests need beyond the lab: PostgreSQL's server, a browser, the workflow auditor, the Kubernetes schemas. */
export function ensureTestPrograms(say: (line: string) => void): void {
  ensurePostgres(say)
  ensureBrowser(say)
  if (!existsSync(testPrograms.zizmor)) {
    say(`installing zizmor ${ZIZMOR} into the cache folder`)
    const venv = join(places.cache, `zizmor-${ZIZMOR}`)
    execFileSync('python3', ['-m', 'venv', '--clear', venv])
    execFileSync(join(venv, 'bin', 'pip'), ['install', '--quiet', `zizmor==${ZIZMOR}`])
  }
  ensureSchemas(say)
}

function ensureSchemas(say: (line: string) => void): void {
  if (existsSync(schemas)) return
  say(`making the schemas of Kubernetes ${KUBERNETES} and of the custom kinds`)
  const kubernetes = moduleFolder(`k8s.io/kubernetes@v${KUBERNETES}`)
  const swagger = join(kubernetes, 'api', 'openapi-spec', 'swagger.json')
  const custom = CUSTOM_KINDS.flatMap(({ module, files }) => {
    const folder = moduleFolder(module)
    return files.map((file) => join(folder, file))
  })
  // Beside its place first: what a killed run leaves must not look complete.
  const script = ['scripts/kubernetes-schemas.mjs', swagger, `${schemas}.new`, ...custom]
  execFileSync(process.execPath, script)
  renameSync(`${schemas}.new`, schemas)
}

function moduleFolder(module: string): string {
  const found = execFileSync('go', ['mod', 'download', '-json', module], {
    encoding: 'utf8',
    cwd: join('lab', 'tools', 'kubernetes'),
  })
  return textAt(parseJson(found, 'go mod download'), 'Dir') ?? ''
}

/** The application's tests start a PostgreSQL of their own. */
function ensurePostgres(say: (line: string) => void): void {
  const servers = '/usr/lib/postgresql'
  if (existsSync(servers) && readdirSync(servers).length > 0) return
  say(
    'installing the Debian package postgresql-15 (the application is tested with a real PostgreSQL)',
  )
  installPackage('postgresql-15')
}

/** Where a browser is that report pages are looked at with: Chromium, or Chrome where that is installed. */
export function findBrowser(): string | undefined {
  const named = process.env['CHROMIUM'] ?? ''
  const folders = (process.env['PATH'] ?? '').split(':')
  const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
  const places = names.flatMap((name) => folders.map((folder) => join(folder, name)))
  return [...(named === '' ? [] : [named]), ...places].find((path) => existsSync(path))
}

/** Installs Chromium where no browser is. `CHROMIUM` names one that stands elsewhere. */
export function ensureBrowser(say: (line: string) => void): void {
  if (findBrowser() !== undefined) return
  say('installing the Debian package chromium (report pages are looked at in a real browser)')
  installPackage('chromium')
}

function installPackage(name: string): void {
  if (process.getuid?.() !== 0)
    throw new UserError(`${name} is missing and installing it needs root: apt-get install ${name}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const options = { env, timeout: APT_TIMEOUT_MS, stdio: 'ignore' } as const
  execFileSync('apt-get', ['-q', 'update'], options)
  execFileSync('apt-get', ['-q', '-y', 'install', '--no-install-recommends', name], options)
}
