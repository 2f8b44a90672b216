import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { toYaml } from '../../src/yaml.ts'
import type { DeployReport } from '../../actions/deploy/deployreport.ts'
import { type EvidenceText, readEvidenceTexts } from '../../actions/deploy/evidencetexts.ts'
import { openCluster } from '../../src/cluster/cluster.ts'
import type { RawStrategy } from '../../src/environments/strategy.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { runProgram } from '../../src/tools/program.ts'
import { shellImage } from '../deploy/failures/stage.ts'
import { nodeImage, shopObjects, type ShopRelease } from '../deploy/shop.ts'
import { lab } from '../e2e/lab.ts'
import { dropNamespace } from '../stack/rendered.ts'

/** A real deploy, for the tests of its page: its report, and what was written about its failure. */
export type Recorded = { readonly report: DeployReport; readonly texts: readonly EvidenceText[] }

const FOLDER = join(import.meta.dirname, 'recorded')
const NAMESPACE = 'todo-recorded'
const LIMIT_S = 400

const CANARY: RawStrategy = {
  ...{ type: 'canary' as const, steps: [25, 50], pause: '10s', 'bake-time': '5s' },
  analysis: { path: '/probe', samples: 10, 'max-latency-ratio': 10 },
}
const MISSING_KEY = {
  env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'shop', key: 'missing' } } }],
}
const AT_ONCE = {
  command: ['node', '-e', 'console.error("no database at db:5432"); process.exit(3)'],
}

const TAGGED = { node: 'localhost:5001/todo/none:latest', shell: 'localhost:5001/todo/none:latest' }

/** In this order, each after the one before, in one namespace; those without a name only make the ground for the next. */
const RUNS: readonly {
  readonly name?: string
  readonly release: ShopRelease
  readonly strategy?: RawStrategy
  readonly tag?: boolean
}[] = [
  { release: { version: '1', replicas: 2 } },
  { name: 'rolling', release: { version: '2', replicas: 2 } },
  { name: 'rolled-back', release: { version: '3', replicas: 2, container: AT_ONCE } },
  { name: 'refused', release: { version: '4', replicas: 2, container: MISSING_KEY }, tag: true },
  { name: 'blue-green', release: { version: '5', replicas: 2 }, strategy: 'blue-green' },
  { name: 'canary', release: { version: '6', replicas: 4 }, strategy: CANARY },
  {
    name: 'canary-worse',
    release: { version: '7', replicas: 4, env: { FAILS: '0.5' } },
    strategy: CANARY,
  },
]

/** `node tests/page/record.ts [name …]`, with the lab's environment: deploys for real and keeps the reports as they are. */
async function record(names: readonly string[]): Promise<void> {
  const where = { kubeconfig: lab.kubeconfig, context: lab.context }
  const api = await openCluster(where, AbortSignal.timeout(LIMIT_S * 4000))
  const body = { metadata: { name: NAMESPACE } }
  await api.call({ method: 'POST', path: '/api/v1/namespaces', body })
  const images = { node: await nodeImage(), shell: await shellImage() }
  const server = await readFile('tests/deploy/server.ts', 'utf8')
  try {
    for (const run of RUNS.filter(({ name }) => name === undefined || wanted(name, names))) {
      const objects = [
        ...shopObjects(NAMESPACE, run.release, { image: images.node, server }),
        ...others(run.release.version, run.tag === true ? TAGGED : images),
      ]
      await runOnce(run, objects)
    }
  } finally {
    await dropNamespace(NAMESPACE, api)
  }
}

function wanted(name: string, names: readonly string[]): boolean {
  return names.length === 0 || names.includes(name)
}

/** What a shop has besides: a Secret, a Job that migrates, and a worker that takes its time to begin. */
function others(version: string, images: typeof TAGGED): readonly KubeObject[] {
  const metadata = (name: string) => ({ name, namespace: NAMESPACE })
  const resources = { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '128Mi' } }
  // One release has the one image and the next the other, so that there is a change to be seen.
  const image = Number(version) % 2 === 0 ? images.shell : images.node
  const run = (seconds: number) => ({
    image,
    resources,
    command: ['sleep', `${seconds}.${version}`],
  })
  const pod = { automountServiceAccountToken: false, terminationGracePeriodSeconds: 1 }
  const labels = { 'app.kubernetes.io/name': 'worker' }
  return [
    {
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: metadata('shop') },
      stringData: { PASSWORD: `secret-of-${version}` },
    },
    {
      ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: metadata('migrate') },
      spec: {
        template: {
          spec: {
            ...pod,
            restartPolicy: 'Never',
            containers: [{ name: 'migrate', ...run(1) }],
          },
        },
      },
    },
    {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: metadata('worker') },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            ...pod,
            initContainers: [{ name: 'prepare', ...run(3) }],
            containers: [{ name: 'worker', ...run(86_400) }],
          },
        },
      },
    },
  ]
}

async function runOnce(
  { name, release, strategy = 'rolling' }: (typeof RUNS)[number],
  objects: readonly KubeObject[],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'todo-record-'))
  const environment = { overlay: 'overlays/shop', namespace: NAMESPACE, strategy }
  const files = {
    'k8s/environments.yaml': { application: 'shop', environments: { shop: environment } },
    'k8s/overlays/shop/kustomization.yaml': { kind: 'Kustomization', resources: ['all.yaml'] },
    'images.lock.json': { version: 1, images: {} },
  }
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    const text = file.endsWith('.json') ? JSON.stringify(content) : toYaml(content)
    await writeFile(join(folder, file), text)
  }
  const all = objects.map((one) => toYaml(one)).join('---\n')
  await writeFile(join(folder, 'k8s/overlays/shop/all.yaml'), all)
  const flags = ['--environment', 'shop', '--path', 'k8s', '--kubeconfig', lab.kubeconfig]
  const { status, stdout, stderr } = await runProgram(
    {
      argv: [process.execPath, resolve('src/edge/main.ts'), 'deploy', ...flags],
      ...{ cwd: folder, timeoutSeconds: LIMIT_S },
    },
    new AbortController().signal,
  )
  process.stdout.write(
    `${name ?? 'ground'} ${release.version}: status ${status}\n${stderr}${stdout}\n`,
  )
  const text = await readFile(join(folder, 'out/deploy/report.json'), 'utf8')
  const report = JSON.parse(text) as DeployReport
  const evidence = join(folder, 'out/deploy/evidence')
  const texts = await readEvidenceTexts(evidence, name === 'refused' ? [] : report.evidence)
  if (name !== undefined)
    await writeFile(join(FOLDER, `${name}.json`), JSON.stringify({ report, texts }, null, 1))
  await rm(folder, { recursive: true })
}

if (process.argv[1] === import.meta.filename) {
  await mkdir(FOLDER, { recursive: true })
  await record(process.argv.slice(2))
}
