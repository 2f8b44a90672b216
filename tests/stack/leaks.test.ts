import { spawn } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { readState } from '../../src/cluster/state.ts'
import { listAt, textAt } from '../../src/json.ts'
import { readEvidence } from '../../src/release/evidence.ts'
import { pullRelease } from '../../src/release/release.ts'
import { lab } from '../e2e/lab.ts'
import { recordFact } from './facts.ts'
import { openLab } from './platform.ts'
import { clearNamespace, dropNamespace } from './rendered.ts'
import {
  GENERATED,
  generated,
  inRegistry,
  planted,
  type PlantedRelease,
  PROVIDED,
  provided,
  publishPlanted,
  secretOf,
} from './telltale.ts'
import { findIn, type Trace, tracesOfFolder, tracesOfNamespace, watchArguments } from './traces.ts'

const FOLDER = resolve('out', 'stack', 'leaks-run')
const LIMIT_MS = 200_000
/** Of the whole run: a minute and a half where the machine has nothing else to do. */
const RUN_MS = 420_000
const signal = AbortSignal.timeout(600_000)

let api: Cluster
let watch: ReturnType<typeof watchArguments>
let good: PlantedRelease
let telling: PlantedRelease
beforeAll(async () => {
  watch = watchArguments()
  api = await openLab()
  await rm(FOLDER, { recursive: true, force: true })
  await mkdir(FOLDER, { recursive: true })
  await Promise.all([GENERATED, PROVIDED].map((namespace) => clearNamespace(namespace, api)))
  good = await publishPlanted('good', signal)
  telling = await publishPlanted('telling', signal)
  const create = async (path: string, body: unknown) => {
    const answer = await api.call({ method: 'POST', path, body })
    if (answer.status >= 300) throw new Error(answer.text)
  }
  await create('/api/v1/namespaces', { metadata: { name: PROVIDED } })
  await create(`/api/v1/namespaces/${PROVIDED}/secrets`, {
    metadata: { name: 'todo-secrets' },
    stringData: secretOf(provided),
  })
})
afterAll(async () => {
  watch.stop()
  await Promise.all([GENERATED, PROVIDED].map((namespace) => dropNamespace(namespace, api)))
})

type Ended = { readonly status: number; readonly said: string }

/** Runs a program of ours in a folder of its own, which keeps whatever it says and writes. */
async function run(name: string, argv: readonly string[], env: object = {}): Promise<Ended> {
  const cwd = join(FOLDER, name)
  await mkdir(cwd, { recursive: true })
  const child = spawn(process.execPath, argv, {
    cwd,
    env: { ...process.env, ...lab.environment, RUNNER_TEMP: join(cwd, 'runner'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  const status = await new Promise<number>((done) => {
    child.on('close', (code) => {
      done(code ?? -1)
    })
  })
  await writeFile(join(cwd, 'said'), said)
  return { status, said }
}

function cli(name: string, args: readonly string[], env: object = {}): Promise<Ended> {
  return run(name, [resolve('bin/todo-deploy.mjs'), ...args], env)
}

/** As GitHub's runner starts it when somebody has asked for a log with everything. */
async function action(name: string, inputs: Readonly<Record<string, string>>): Promise<Ended> {
  const folder = join(FOLDER, name)
  const files = { GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STEP_SUMMARY: join(folder, 'page') }
  await mkdir(folder, { recursive: true })
  for (const file of Object.values(files)) await writeFile(file, '')
  const given = Object.fromEntries(
    Object.entries(inputs).map(([key, value]): [string, string] => [
      `INPUT_${key.toUpperCase()}`,
      value,
    ]),
  )
  const env = { ...given, ...files, RUNNER_DEBUG: '1' }
  return await run(name, [resolve('actions/deploy/index.ts')], env)
}

/** A registry that refuses every login, and is so rude as to say which. */
async function refusedByRegistry(): Promise<Ended> {
  const server = createServer((request, response) => {
    const { authorization = '' } = request.headers
    response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' })
    response.end(`{"errors":[{"code":"DENIED","message":"not with ${authorization}"}]}`)
  }).listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  const registry = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const config = join(FOLDER, '..', 'leaks-docker')
  await mkdir(config, { recursive: true })
  const auth = Buffer.from(`somebody:${inRegistry}`).toString('base64')
  await writeFile(join(config, 'config.json'), JSON.stringify({ auths: { [registry]: { auth } } }))
  const name = `${registry}/todo/release@sha256:${'0'.repeat(64)}`
  const args = ['deploy', '--environment', 'generated', '--release', name]
  const ended = await cli('registry', args, { DOCKER_CONFIG: config })
  server.close()
  return ended
}

/** What the telling program itself has printed is in its own log, until its pods are gone. */
async function collect(): Promise<readonly Trace[]> {
  for (const namespace of [GENERATED, PROVIDED]) {
    const pods = `/api/v1/namespaces/${namespace}/pods`
    while ((await api.call({ method: 'GET', path: pods })).text.includes('TELL_ALL'))
      await sleep(1000)
  }
  const spaces = [GENERATED, PROVIDED].map((namespace) => tracesOfNamespace(namespace, api))
  return (await Promise.all([tracesOfFolder(FOLDER), ...spaces])).flat()
}

/** The verdicts and promotions that were stored beside the releases. */
async function collectEvidence(): Promise<readonly Trace[]> {
  const release = await pullRelease(good.reference, signal)
  const kinds = ['verdict', 'promotion'] as const
  const stored = await Promise.all(kinds.map((kind) => readEvidence(release, kind, signal)))
  return stored.map((evidence, index) => ({
    place: `${kinds[index] ?? ''} in the registry`,
    text: JSON.stringify(evidence),
  }))
}

it(
  'M15: a whole run leaves no secret value in any log, report or object',
  async () => {
    const of = (release: PlantedRelease) => ['--release', release.reference, '--environment']
    const deployed = await cli('deploy', ['deploy', ...of(good), 'generated'])
    expect(deployed).toMatchObject({ status: 0 })
    expect(await cli('verify', ['verify', ...of(good), 'generated'])).toMatchObject({ status: 0 })
    const way = ['--from', 'generated', '--to', 'provided', '--manifests', resolve(good.manifests)]
    expect(await cli('promote', ['promote', '--mode', 'plan', ...way])).toMatchObject({ status: 0 })
    const [byAction, byCli, refused, wrong] = await Promise.all([
      action('crash-action', { environment: 'generated', release: telling.reference }),
      cli('crash', ['deploy', ...of(telling), 'provided']),
      refusedByRegistry(),
      cli('wrong', ['deploy', '--mode', 'plan', ...of(good), 'wrong']),
    ])
    for (const { said, status } of [byAction, byCli]) {
      expect(status).toBe(3)
      expect(said).toMatch(/log +\*\*\*/)
    }
    expect(refused.said).toMatch(/The registry said/)
    expect(wrong.said).toMatch(/illegal base64/)
    const traces = [...(await collect()), ...(await collectEvidence()), ...watch.stop()]
    recordFact('secrets', 'planted values', {
      'places looked at': traces.length,
      found: findIn(traces, planted).length,
    })
    expect(findIn(traces, planted)).toEqual([])
  },
  RUN_MS,
)

it('keeps values in Secrets alone: those of the application, and the state where the release brings them', async () => {
  expect(await secretsWith(GENERATED, generated.planted.AUTH_SECRET)).toEqual([
    expect.stringMatching(/^todo-secrets-[a-z0-9]{10}$/),
  ])
  expect(await secretsWith(PROVIDED, provided.planted.AUTH_SECRET)).toEqual(['todo-secrets'])
  const encoded = (value: string) => Buffer.from(value).toString('base64')
  const stateOf = async (namespace: string) =>
    JSON.stringify((await readState(namespace, api)) ?? null)
  expect(await stateOf(GENERATED)).toContain(encoded(generated.planted.AUTH_SECRET))
  const trace = [{ place: 'state', text: await stateOf(PROVIDED) }]
  expect(findIn(trace, planted)).toEqual([])
})

it('would find a leak: one in each kind of place, each written in its own way', async () => {
  const { AUTH_SECRET, password } = provided.planted
  await writeFile(join(FOLDER, 'report.json'), JSON.stringify({ AUTH_SECRET }))
  const configMap = {
    metadata: { name: 'leak' },
    data: { login: Buffer.from(`todo:${password}`).toString('base64') },
  }
  const path = `/api/v1/namespaces/${PROVIDED}/configmaps`
  expect((await api.call({ method: 'POST', path, body: configMap })).status).toBe(201)
  watch = watchArguments()
  const program = 'setTimeout(() => undefined, 1500)'
  await run('leak', ['-e', program, encodeURIComponent(generated.planted.OPENAI_API_KEY)])
  const found = findIn([...(await collect()), ...watch.stop()], planted)
  expect(found.toSorted()).toEqual([
    'generated OPENAI_API_KEY in arguments of processes',
    `provided AUTH_SECRET in ${join(FOLDER, 'report.json')}`,
    'provided password in configmaps/leak',
  ])
})

async function secretsWith(namespace: string, value: string): Promise<readonly string[]> {
  const path = `/api/v1/namespaces/${namespace}/secrets`
  const items = listAt((await api.call({ method: 'GET', path })).body, 'items')
  return items
    .filter((item) => JSON.stringify(item).includes(Buffer.from(value).toString('base64')))
    .map((item) => textAt(item, 'metadata', 'name') ?? '')
}
