import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { readLab } from '../../lab/lab.ts'
import { type Cluster, openCluster } from '../../src/cluster/cluster.ts'
import { listAt, parseJson, textAt } from '../../src/json.ts'

export const lab = readLab()
export const REGISTRY = `${lab.registry}/todo`

/** How a call of the CLI ended. */
export type Call = {
  readonly status: number
  readonly stdout: string
  /** The result's first line on stderr: after the progress, before the details. */
  readonly firstLine: string
  readonly stderr: string
  readonly report: unknown
}

const LIMIT_MS = 230_000

/** Runs `todo-deploy` as a user does, in a process of its own, and waits for its end. */
export async function todoDeploy(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Call> {
  const report = join('out', 'e2e', `${process.pid}-${Math.random().toString(36).slice(2)}.json`)
  const child = start([...args, '--json', report], env)
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  const status = await new Promise<number>((resolve) => {
    child.on('close', (code) => {
      resolve(code ?? -1)
    })
  })
  const text = await readFile(report, 'utf8').catch(() => '{}')
  await rm(report, { force: true })
  const firstLine = stderr.split('\n').find((line) => /^[^\s▸✓!]/.test(line)) ?? ''
  return { status, stdout, stderr, firstLine, report: parseJson(text, report) }
}

export function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, ['bin/todo-deploy.mjs', ...args], {
    env: { ...process.env, ...lab.environment, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
  })
}

/** Flags of build-images that the lab wants. */
export const buildFlags = [
  ...['--registry', REGISTRY],
  ...['--builder', lab.builder],
  ...['--vulnerability-db', lab.vulnerabilityDatabase],
]

export async function cluster(): Promise<Cluster> {
  return await openCluster(
    { kubeconfig: lab.kubeconfig, context: lab.context },
    AbortSignal.timeout(LIMIT_MS),
  )
}

/** The release that the demo carried through. */
export async function demoRelease(): Promise<string> {
  const report = await readFile('out/demo/report.json', 'utf8').catch(() => {
    throw new Error('There is no out/demo/report.json: run "npm run demo" before these tests')
  })
  return textAt(parseJson(report, 'the report of the demo'), 'release') ?? ''
}

/** The image digests that really run in a namespace, by container name. */
export async function runningDigests(namespace: string): Promise<Readonly<Record<string, string>>> {
  const api = await cluster()
  const pods = await api.call({ method: 'GET', path: `/api/v1/namespaces/${namespace}/pods` })
  const containers = listAt(pods.body, 'items')
    .filter((pod) => textAt(pod, 'status', 'phase') === 'Running')
    .filter((pod) => textAt(pod, 'metadata', 'deletionTimestamp') === undefined)
    .flatMap((pod) => listAt(pod, 'status', 'containerStatuses'))
  return Object.fromEntries(
    containers.map((status) => [
      textAt(status, 'name') ?? '',
      (textAt(status, 'imageID') ?? '').split('@')[1] ?? '',
    ]),
  )
}

/**
 * The configuration that a manifest names, which holds the digest of each layer. Bytes that were pushed with other annotations have
 * several manifests, and a node that has met more than one reports any of them.
 */
export async function configOf(service: string, digest: string): Promise<string> {
  const place = `http://${lab.registry}/v2/todo/${service}/manifests/${digest}`
  const accept = 'application/vnd.oci.image.manifest.v1+json'
  const answer = await fetch(place, { headers: { accept } })
  return textAt(await answer.json(), 'config', 'digest') ?? `none in ${digest}`
}

export async function statusOf(path: string): Promise<number> {
  return (await (await cluster()).call({ method: 'GET', path })).status
}

/** Repositories of the lab's registry below the product's prefix. */
export async function repositories(): Promise<readonly string[]> {
  const answer = await fetch(`http://${lab.registry}/v2/_catalog?n=1000`)
  return listAt(await answer.json(), 'repositories').map(String)
}
