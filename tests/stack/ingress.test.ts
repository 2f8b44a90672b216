import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { at, listAt, parseJson, textAt } from '../../src/json.ts'
import type { ImageSet } from '../../src/release/imageset.ts'
import { pullRelease } from '../../src/release/release.ts'
import { conditionOf } from '../../src/rollout/readiness/readiness.ts'
import { demoRelease } from '../e2e/lab.ts'
import { type Certificate, makeCertificate } from './certificate.ts'
import { recordFact } from './facts.ts'
import { openLab } from './platform.ts'
import { until } from './prometheus.ts'
import { reachOf, standIn, type Targets } from './reach.ts'
import { clearNamespace, dropNamespace } from './rendered.ts'
import { deployTree, plantTree, replacing, type Tree, without } from './tree.ts'
import { visit } from './wayin.ts'

const NAMESPACE = 'todo-stack-ingress'
const ELSEWHERE = 'todo-stack-ingress-elsewhere'
/** Where the lab's ingress controller runs. */
const CONTROLLER = 'ingress'
const NEIGHBOUR = 'todo-stack-neighbour'
const HOSTS = { Ingress: 'ingress.todo.localhost', HTTPRoute: 'gateway.todo.localhost' } as const
const PORTS: Readonly<Record<string, number>> = { frontend: 3000, backend: 8000, postgresql: 5432 }
const READY_MS = 60_000
const SETTLE_MS = 30_000

let api: Cluster
let tree: Tree
let certificate: Certificate
const deployed = { at: 0 }

/** Production's frontend, backend and network, with both ways in at once and the database of staging. */
const overlays = () => ({
  reached: {
    'kustomization.yaml': {
      namespace: NAMESPACE,
      resources: ['../production'],
      components: ['gateway', 'database', 'small-node'].map((name) => `../../components/${name}`),
      secretGenerator: [
        {
          name: 'todo-secrets',
          literals: [
            'DATABASE_URL=postgresql://todo:made-up@postgresql-service:5432/todo',
            'POSTGRES_PASSWORD=made-up',
            'AUTH_SECRET=made-up-made-up-made-up-made-up-made-up',
          ],
        },
        {
          name: 'todo-tls',
          type: 'kubernetes.io/tls',
          literals: [`tls.crt=${certificate.certificate}`, `tls.key=${certificate.key}`],
        },
      ],
      patches: [
        without({ labelSelector: 'app.kubernetes.io/name in (ai-agent, mcp-server)' }),
        without({ kind: 'HorizontalPodAutoscaler' }),
        replacing({ kind: 'Ingress' }, { '/spec/rules/0/host': HOSTS.Ingress }),
        replacing({ kind: 'HTTPRoute' }, { '/spec/hostnames/0': HOSTS.HTTPRoute }),
        // As docs/manifests.md gives it.
        {
          target: { kind: 'Ingress', name: 'todo-app' },
          patch: `- op: add\n  path: /spec/tls\n  value: [{ hosts: [${HOSTS.Ingress}], secretName: todo-tls }]\n`,
        },
      ],
    },
  },
  narrowed: {
    'kustomization.yaml': {
      resources: ['../reached'],
      patches: [
        // As docs/manifests.md gives it.
        {
          target: { kind: 'NetworkPolicy', name: 'frontend' },
          patch: `- op: add\n  path: /spec/ingress/0/from\n  value: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ${CONTROLLER} } } }]\n`,
        },
      ],
    },
  },
})

beforeAll(async () => {
  api = await openLab()
  certificate = makeCertificate(HOSTS.Ingress)
  const { images } = await pullRelease(await demoRelease(), AbortSignal.timeout(30_000))
  await removeNeighbour()
  for (const namespace of [NAMESPACE, ELSEWHERE]) await clearNamespace(namespace, api)
  const environment = (overlay: string) => ({
    overlay: `overlays/${overlay}`,
    namespace: NAMESPACE,
  })
  tree = await plantTree('ingress', {
    ...{ images, overlays: overlays() },
    environments: { reached: environment('reached'), narrowed: environment('narrowed') },
  })
  await deploy('reached')
  deployed.at = performance.now()
  await openNeighbours(images)
})

afterAll(async () => {
  await removeNeighbour()
  for (const namespace of [NAMESPACE, ELSEWHERE]) await dropNamespace(namespace, api)
})

describe.each(Object.entries(HOSTS))('M17: the way in by %s', (kind, host) => {
  it('leads to the page of the frontend', async () => {
    await until(async () => (await visit({ host, path: '/' })).status === 200, READY_MS)
    recordFact('platform', kind, {
      'page s after deploy': ((performance.now() - deployed.at) / 1000).toFixed(1),
    })
    expect((await visit({ host, path: '/' })).text).toContain('<title>Todo</title>')
  })

  it('leads through it to the API: sign up, write a todo, read it', async () => {
    expect(await useApplication({ host })).toEqual(['seen from outside'])
    expect((await visit({ host, path: '/api/tasks' })).status).toBe(401)
  })
})

describe('the way in', () => {
  it('is of this host alone', async () => {
    const { status } = await visit({ host: 'another.todo.localhost', path: '/' })
    expect(status).toBe(404)
  })

  it('has TLS where the Ingress names a certificate, and then the cookie is for TLS only', async () => {
    const secure = { host: HOSTS.Ingress, certificate: certificate.certificate }
    expect(await useApplication(secure)).toEqual(['seen from outside'])
    const body = { email: `${crypto.randomUUID()}@example.org`, password: 'made-up-too' }
    const signUp = { path: '/api/auth/sign-up', body }
    expect((await visit({ ...secure, ...signUp })).cookie).toMatch(/; Secure$/)
    const again = { ...body, email: `${crypto.randomUUID()}@example.org` }
    const plain = await visit({ host: HOSTS.Ingress, path: '/api/auth/sign-up', body: again })
    expect(plain.cookie).toMatch(/; Max-Age=\d+$/)
  })

  it('is told of by its objects: the class of the cluster, an address, a route that was accepted', async () => {
    const networking = `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/ingresses/todo-app`
    const ingress = await read(networking)
    expect(textAt(ingress, 'spec', 'ingressClassName')).toBe('traefik')
    expect(textAt(ingress, 'status', 'loadBalancer', 'ingress', 0, 'ip')).toBe('127.0.0.1')
    const gateways = '/apis/gateway.networking.k8s.io/v1/namespaces'
    const route = await read(`${gateways}/${NAMESPACE}/httproutes/todo-app`)
    const parent = { status: at(route, 'status', 'parents', 0) }
    for (const type of ['Accepted', 'ResolvedRefs'])
      expect([type, textAt(conditionOf(parent, type), 'status')]).toEqual([type, 'True'])
    const gateway = await read(`${gateways}/gateway-system/gateways/todo-gateway`)
    expect(textAt(conditionOf(gateway, 'Programmed'), 'status')).toBe('True')
  })

  it('is unchanged for the next deploy, whatever the cluster has written into its objects', async () => {
    await deploy('reached', 'unchanged')
  })
})

describe("production's network policies", () => {
  it('let the controller reach the frontend and nothing behind it', async () => {
    expect(await reachedFrom(CONTROLLER)).toEqual(['frontend'])
    expect(await reachedFrom(ELSEWHERE)).toEqual(['frontend'])
  })

  it('narrowed as docs/manifests.md says, let in the namespace of the controller and no other', async () => {
    await deploy('narrowed')
    await until(async () => (await reachedFrom(ELSEWHERE)).length === 0, SETTLE_MS)
    expect(await reachedFrom(CONTROLLER)).toEqual(['frontend'])
    // New pods, so that the controller has no connection from before.
    await restartFrontend()
    for (const host of Object.values(HOSTS))
      await until(async () => (await visit({ host, path: '/api/ready' })).status === 200, READY_MS)
    recordFact('platform', 'Ingress', { 'others reach': 'nothing' })
  })
})

async function deploy(environment: string, outcome = 'deployed'): Promise<void> {
  const { report, stderr } = await deployTree(tree, environment)
  expect({ report, stderr }).toMatchObject({ report: { outcome } })
}

async function read(path: string): Promise<unknown> {
  return (await api.call({ method: 'GET', path })).body
}

/** A new person writes a todo; the titles that they then have. */
async function useApplication(how: {
  readonly host: string
  readonly certificate?: string
}): Promise<readonly (string | undefined)[]> {
  const body = { email: `${crypto.randomUUID()}@example.org`, password: 'made-up-too' }
  const signedUp = await visit({ ...how, path: '/api/auth/sign-up', body })
  const cookie = signedUp.cookie.split(';')[0] ?? ''
  const task = { title: 'seen from outside' }
  const written = await visit({ ...how, path: '/api/tasks', body: task, cookie })
  expect([signedUp.status, written.status]).toEqual([201, 201])
  const { text } = await visit({ ...how, path: '/api/tasks', cookie })
  const found = parseJson(text, 'the tasks')
  return (Array.isArray(found) ? found : listAt(found, 'tasks')).map((one) => textAt(one, 'title'))
}

/** Pods without any rights: one beside the controller, one in a namespace of no meaning. */
async function openNeighbours({ images }: ImageSet): Promise<void> {
  const image = images['local-model']?.reference ?? ''
  const path = '/api/v1/namespaces'
  await api.call({ method: 'POST', path, body: { metadata: { name: ELSEWHERE } } })
  const body = standIn(NEIGHBOUR, { image, port: 9000, labels: {} })
  for (const namespace of [CONTROLLER, ELSEWHERE]) {
    const made = await api.call({ method: 'POST', path: `${path}/${namespace}/pods`, body })
    expect(`${made.status} ${textAt(made.body, 'message') ?? ''}`).toBe('201 ')
  }
  for (const namespace of [CONTROLLER, ELSEWHERE])
    await until(async () => {
      const pod = await read(`${path}/${namespace}/pods/${NEIGHBOUR}`)
      return textAt(conditionOf(pod, 'Ready'), 'status') === 'True'
    }, READY_MS)
}

async function removeNeighbour(): Promise<void> {
  const path = `/api/v1/namespaces/${CONTROLLER}/pods/${NEIGHBOUR}`
  await api.call({ method: 'DELETE', path })
  await until(async () => (await api.call({ method: 'GET', path })).status === 404, READY_MS)
}

/** Which of the pods of the application a neighbour in a namespace gets a connection to. */
async function reachedFrom(namespace: string): Promise<readonly string[]> {
  const pods = listAt(await read(`/api/v1/namespaces/${NAMESPACE}/pods`), 'items')
  const targets: Targets = Object.fromEntries(
    pods.flatMap((pod) => {
      const name = textAt(pod, 'metadata', 'labels', 'app.kubernetes.io/name') ?? ''
      const address = textAt(pod, 'status', 'podIP') ?? ''
      const isOn = textAt(pod, 'status', 'phase') === 'Running'
      return isOn && name in PORTS ? [[name, `${address}:${PORTS[name] ?? 0}`]] : []
    }),
  )
  expect(Object.keys(targets).toSorted()).toEqual(Object.keys(PORTS).toSorted())
  const reached = await reachOf({ namespace, pod: NEIGHBOUR }, targets, api)
  return reached.map((edge) => edge.replace(`${NEIGHBOUR} → `, ''))
}

/** Ends when no pod of before is left. */
async function restartFrontend(): Promise<void> {
  const selector = 'labelSelector=app.kubernetes.io%2Fname%3Dfrontend'
  const path = `/api/v1/namespaces/${NAMESPACE}/pods?${selector}`
  const uids = async () =>
    listAt(await read(path), 'items').map((pod) => at(pod, 'metadata', 'uid'))
  const before = await uids()
  const { status } = await api.call({ method: 'DELETE', path })
  expect(status).toBe(200)
  await until(async () => !(await uids()).some((uid) => before.includes(uid)), READY_MS)
}
