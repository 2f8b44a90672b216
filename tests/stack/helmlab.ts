import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import { toYaml } from '../../src/yaml.ts'
import { isObject, listAt, parseJson, textAt } from '../../src/json.ts'
import { sha256 } from '../../src/registry/client.ts'
import { parseReference } from '../../src/registry/reference.ts'
import { formatImageSet, type ImageSet } from '../../src/release/imageset.ts'
import { runProgram } from '../../src/tools/program.ts'
import { cluster, lab } from '../e2e/lab.ts'
import { testPrograms } from '../programs.ts'
import { clearNamespace, dropNamespace } from './rendered.ts'

const NAMESPACE = 'todo-stack-helm'
const COMMAND_SECONDS = 280

/** A namespace of the lab's cluster, and a folder in which the commands of docs/helm.md find what they need. */
export type HelmLab = {
  readonly namespace: string
  /** Writes the lock file of a release and a person's own values, with a log level of the backend. */
  provide: (lock: ImageSet, level: string) => Promise<void>
  /** Runs shell commands as they stand in the document; throws with what they said where they fail. */
  run: (commands: string) => Promise<string>
  runningPod: (name: string) => Promise<{ readonly pod: string; readonly image: string }>
  environmentOf: (pod: string, container: string, variable: string) => Promise<string>
  objectNames: (resource: string) => Promise<readonly string[]>
  close: () => Promise<void>
}

/** The lock file of the release that the demo carried: real images, in the registry of the lab. */
export async function lockOf(): Promise<ImageSet> {
  const report = parseJson(await readFile('out/demo/report.json', 'utf8'), 'the report of the demo')
  const found = isObject(report) && isObject(report['images']) ? report['images'] : {}
  const images = Object.entries(found).map(([name, value]) => {
    const reference = String(value)
    return [name, { reference, digest: parseReference(reference).digest ?? '', size: 0 }] as const
  })
  return { version: 1, images: Object.fromEntries(images) }
}

/** The set with a backend that has the same content under another digest, as a new release would bring it. */
export async function withOtherBackend(lock: ImageSet): Promise<ImageSet> {
  const reference = lock.images['backend']?.reference ?? ''
  const { registry, repository, digest = '' } = parseReference(reference)
  const address = `http://${registry}/v2/${repository}/manifests`
  const accept =
    'application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json'
  const found = await fetch(`${address}/${digest}`, { headers: { accept } })
  const manifest = parseJson(await found.text(), reference) as Readonly<Record<string, unknown>>
  const body = JSON.stringify({ ...manifest, annotations: { 'todo-deploy.dev/test': 'helm' } })
  const other = sha256(Buffer.from(body))
  const headers = { 'content-type': found.headers.get('content-type') ?? '' }
  const put = await fetch(`${address}/${other}`, { method: 'PUT', headers, body })
  if (!put.ok) throw new Error(`${address} answered ${put.status}: ${await put.text()}`)
  const backend = { reference: `${registry}/${repository}@${other}`, digest: other, size: 0 }
  return { ...lock, images: { ...lock.images, backend } }
}

/** A block of shell commands of docs/helm.md, by its heading and its place below it. */
export function documented(heading: string, index = 0): string {
  const sections = readFileSync(join('docs', 'helm.md'), 'utf8').split(/^## /m)
  const section = sections.find((text) => text.startsWith(`${heading}\n`)) ?? ''
  const block = [...section.matchAll(/^```sh\n(.*?)^```/gms)][index]?.[1]
  if (block === undefined)
    throw new Error(`docs/helm.md has no command number ${index + 1} under "${heading}"`)
  return block
}

export async function openHelmLab(parent: string): Promise<HelmLab> {
  await clearNamespace(NAMESPACE, await cluster())
  const folder = await makeFolder(parent)
  const list = async (path: string) =>
    listAt((await (await cluster()).call({ method: 'GET', path })).body, 'items')
  return {
    namespace: NAMESPACE,
    provide: (lock, level) => provide(folder, lock, level),
    run: (commands) => runCommands(folder, commands),
    runningPod: async (name) => {
      const selector = encodeURIComponent(`app.kubernetes.io/name=${name}`)
      const pods = await list(`/api/v1/namespaces/${NAMESPACE}/pods?labelSelector=${selector}`)
      const running = pods.filter(
        (pod) => textAt(pod, 'metadata', 'deletionTimestamp') === undefined,
      )
      if (running.length !== 1) throw new Error(`${running.length} pods of ${name} run, not one`)
      return {
        pod: textAt(running[0], 'metadata', 'name') ?? '',
        image: textAt(running[0], 'spec', 'containers', 0, 'image') ?? '',
      }
    },
    environmentOf: async (pod, container, variable) => {
      const argv = ['python3', '-c', `import os; print(os.environ['${variable}'])`]
      const how = { namespace: NAMESPACE, pod, container, argv, timeoutSeconds: 30 }
      return (await (await cluster()).exec(how)).stdout.trim()
    },
    objectNames: async (resource) => {
      const group = resource === 'networkpolicies' ? '/apis/networking.k8s.io/v1' : '/api/v1'
      const found = await list(`${group}/namespaces/${NAMESPACE}/${resource}`)
      return found.map((object) => textAt(object, 'metadata', 'name') ?? '')
    },
    close: async () => {
      await dropNamespace(NAMESPACE, await cluster())
    },
  }
}

/** The parts of the repository that the commands name, and their programs, in a folder of the test's own. */
async function makeFolder(parent: string): Promise<string> {
  const folder = join(parent, 'repository')
  await mkdir(join(folder, 'bin'), { recursive: true })
  for (const name of ['k8s', 'scripts']) await symlink(resolve(name), join(folder, name))
  for (const name of ['helm', 'kubectl'] as const)
    await symlink(await testPrograms.tool(name), join(folder, 'bin', name))
  await symlink(process.execPath, join(folder, 'bin', 'node'))
  await provideSecret(folder)
  return folder
}

/** What a person would have at hand: the lock file of a release, and values of their own for a small lab. */
async function provide(folder: string, lock: ImageSet, level: string): Promise<void> {
  await writeFile(join(folder, 'images.lock.json'), formatImageSet(lock))
  const values = {
    global: {
      minReadySeconds: 2,
      resources: { requests: { cpu: '20m' } },
      // A busy lab must not add replicas while they are looked at.
      autoscaling: { minReplicas: 1, maxReplicas: 1, cpu: '70m' },
    },
    backend: { config: { LOG_LEVEL: level } },
    'ai-agent': { config: { OPENAI_BASE_URL: 'http://local-model-service:8003/v1' } },
    'local-model': { enabled: true },
  }
  await writeFile(join(folder, 'mine.values.yaml'), toYaml(values))
}

async function provideSecret(folder: string): Promise<void> {
  const password = randomBytes(12).toString('hex')
  const secret = {
    DATABASE_URL: `postgres://todo:${password}@postgresql-service:5432/todo`,
    POSTGRES_PASSWORD: password,
    AUTH_SECRET: randomBytes(24).toString('hex'),
    OPENAI_API_KEY: 'none-is-needed',
  }
  const lines = Object.entries(secret).map(([name, value]) => `${name}=${value}\n`)
  await writeFile(join(folder, 'todo-secrets.env'), lines.join(''), { mode: 0o600 })
}

async function runCommands(folder: string, commands: string): Promise<string> {
  const result = await runProgram(
    {
      argv: ['bash', '-c', `set -euo pipefail\n${commands}`],
      cwd: folder,
      env: {
        ...process.env,
        PATH: [join(folder, 'bin'), process.env['PATH'] ?? ''].join(delimiter),
        KUBECONFIG: lab.kubeconfig,
        HELM_KUBECONTEXT: lab.context,
        NAMESPACE,
        ENVIRONMENT: 'staging',
      },
      timeoutSeconds: COMMAND_SECONDS,
    },
    AbortSignal.timeout(COMMAND_SECONDS * 1000),
  )
  const said = `${result.stdout}${result.stderr}`
  if (result.status !== 0)
    throw new Error(`${commands}ended with status ${result.status}:\n${said}`)
  return said
}
