import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { applyObject } from '../../src/cluster/apply.ts'
import { deleteObject } from '../../src/cluster/delete.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { discoverResources } from '../../src/cluster/resources.ts'
import { listAt, textAt } from '../../src/json.ts'
import { pullRelease } from '../../src/release/release.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { cluster, demoRelease, statusOf } from '../e2e/lab.ts'
import { internet, type Reach, reachOf, standIn, type Targets } from './reach.ts'
import { clearNamespace, dropNamespace, renderAs } from './rendered.ts'

const NAMESPACE = 'todo-stack-network'
const ELSEWHERE = 'todo-stack-elsewhere'
const SETTLE_MS = 60_000
/** Every pod of an environment, and where it listens. The migration and verify's probe listen nowhere in truth. */
const PORTS = {
  frontend: 3000,
  backend: 8000,
  'mcp-server': 8001,
  'ai-agent': 8002,
  'local-model': 8003,
  postgresql: 5432,
  'database-migrate': 9000,
  verify: 9000,
} as const
const INSIDE = Object.keys(PORTS)
const OUTSIDE = 'outside'
const INTERNET_PORTS = [80, 443, 5432, 8003]

/** What all environments have in common. */
const CHAIN = [
  'outside → frontend',
  'frontend → backend',
  'backend → ai-agent',
  'ai-agent → mcp-server',
  ...INSIDE.map((name) => `${name} → dns`),
]
const CLIENTS = ['backend', 'mcp-server', 'database-migrate', 'verify']
/** The edges of the mission's row M17; everything else is closed. */
const EDGES: Readonly<Record<string, readonly string[]>> = {
  dev: [...CHAIN, 'ai-agent → local-model', ...CLIENTS.map((name) => `${name} → postgresql`)],
  staging: [
    ...CHAIN,
    'ai-agent → internet:443',
    "ai-agent → the lab's model",
    ...CLIENTS.map((name) => `${name} → postgresql`),
  ],
  production: [
    ...CHAIN,
    'ai-agent → internet:443',
    "ai-agent → the lab's model",
    ...CLIENTS.map((name) => `${name} → internet:5432`),
  ],
}

let api: Cluster
let targets: Targets = {}
let policies: readonly KubeObject[] = []

beforeAll(async () => {
  api = await cluster()
  const { images } = await pullRelease(await demoRelease(), AbortSignal.timeout(30_000))
  const image = images.images['local-model']?.reference ?? ''
  internet.open(image, INTERNET_PORTS)
  for (const namespace of [NAMESPACE, ELSEWHERE]) {
    await clearNamespace(namespace, api)
    const [space] = await renderAs('dev', { namespace })
    await applyObject(space as KubeObject, discoverResources(api), api)
  }
  for (const [name, port] of Object.entries(PORTS))
    await makePod(NAMESPACE, standIn(name, { image, port, labels: labelsOf(name) }))
  // It has the right name, in the wrong namespace, and the port of the outside world at a private address.
  const labels = labelsOf('frontend')
  await makePod(ELSEWHERE, standIn(OUTSIDE, { image, port: 443, labels }))
  const addresses = { ...(await readyPods(NAMESPACE)), ...(await readyPods(ELSEWHERE)) }
  const port = (name: string) => (PORTS as Readonly<Record<string, number>>)[name] ?? 443
  targets = {
    ...Object.fromEntries(
      Object.entries(addresses).map(([name, address]) => [name, `${address}:${port(name)}`]),
    ),
    ...Object.fromEntries(
      INTERNET_PORTS.map((each) => [`internet:${each}`, `${internet.address}:${each}`]),
    ),
    "the lab's model": `${await modelAddress()}:8003`,
    dns: 'kubernetes.default.svc.cluster.local:dns',
  }
}, 180_000)

afterAll(async () => {
  internet.close()
  await dropNamespace(NAMESPACE, api)
  await dropNamespace(ELSEWHERE, api)
})

function labelsOf(name: string): Readonly<Record<string, string>> {
  return { 'app.kubernetes.io/name': name }
}

async function makePod(namespace: string, pod: unknown): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods`
  const made = await api.call({ method: 'POST', path, body: pod })
  expect(`${made.status} ${textAt(made.body, 'message') ?? ''}`).toBe('201 ')
}

/** The address of each pod, once all of them are ready. */
async function readyPods(namespace: string): Promise<Readonly<Record<string, string>>> {
  const deadline = Date.now() + 90_000
  while (Date.now() < deadline) {
    const { body } = await api.call({ method: 'GET', path: `/api/v1/namespaces/${namespace}/pods` })
    const pods = listAt(body, 'items')
    const ready = pods.filter((pod) =>
      listAt(pod, 'status', 'conditions').some(
        (is) => textAt(is, 'type') === 'Ready' && textAt(is, 'status') === 'True',
      ),
    )
    if (ready.length === pods.length)
      return Object.fromEntries(
        pods.map((pod) => [
          textAt(pod, 'metadata', 'name') ?? '',
          textAt(pod, 'status', 'podIP') ?? '',
        ]),
      )
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  throw new Error(`The pods in ${namespace} did not become ready`)
}

async function modelAddress(): Promise<string> {
  const path = '/api/v1/namespaces/todo-external/services/model'
  return textAt((await api.call({ method: 'GET', path })).body, 'spec', 'clusterIP') ?? ''
}

async function look(): Promise<Reach> {
  const inside = INSIDE.map((pod) => ({ namespace: NAMESPACE, pod }))
  const from = [...inside, { namespace: ELSEWHERE, pod: OUTSIDE }]
  const found = await Promise.all(from.map((place) => reachOf(place, targets, api)))
  return new Set(found.flat())
}

/** Puts the policies of an environment in the place of those before. */
async function enforce(environment: string): Promise<void> {
  const resources = discoverResources(api)
  for (const old of policies) await deleteObject(old, '', api)
  const objects = await renderAs(environment, { namespace: NAMESPACE })
  policies = objects.filter(({ kind }) => kind === 'NetworkPolicy')
  for (const policy of policies) await applyObject(policy, resources, api)
}

/** Looks until it is as expected or time is over: policies reach the node a moment after they are written. */
async function lookUntil(expected: readonly string[]): Promise<readonly string[]> {
  const deadline = Date.now() + SETTLE_MS
  for (;;) {
    const open = await look().catch((error: unknown) => {
      // A busy machine may not start a command in time; the next look may be luckier.
      if (Date.now() > deadline) throw error
      return new Set<string>()
    })
    const found = [...open].toSorted()
    if (isDeepStrictEqual(found, expected) || Date.now() > deadline) return found
  }
}

describe('the network of an environment', () => {
  it('lets everybody reach everything without policies, so that what is closed below is closed by them', async () => {
    const all = [...INSIDE, OUTSIDE].flatMap((from) =>
      Object.keys(targets).flatMap((to) => (from === to ? [] : [`${from} → ${to}`])),
    )
    expect(await lookUntil(all.toSorted())).toEqual(all.toSorted())
  })

  it.each(Object.keys(EDGES))('has exactly its edges in %s', async (environment) => {
    await enforce(environment)
    // Nothing was said about the pod outside: what it reaches there is not ours to close.
    const free = ['dns', "the lab's model", ...INTERNET_PORTS.map((port) => `internet:${port}`)]
    const expected = [
      ...(EDGES[environment] ?? []),
      ...free.map((to) => `${OUTSIDE} → ${to}`),
    ].toSorted()
    expect(await lookUntil(expected)).toEqual(expected)
  })

  it('lets the API server through, which verify asks by', async () => {
    for (const name of ['frontend', 'backend', 'mcp-server', 'ai-agent'] as const) {
      const path = `/api/v1/namespaces/${NAMESPACE}/pods/${name}:${PORTS[name]}/proxy/`
      expect([name, await statusOf(path)]).toEqual([name, 200])
    }
  })
})
