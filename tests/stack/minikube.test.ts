import { spawnSync } from 'node:child_process'
import { dirname } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { listAt, textAt } from '../../src/json.ts'
import { pullRelease } from '../../src/release/release.ts'
import { cluster, demoRelease, lab, statusOf } from '../e2e/lab.ts'
import { testPrograms } from '../programs.ts'
import { clearNamespace, dropNamespace } from './rendered.ts'

const NAMESPACE = 'todo-stack-minikube'
const INGRESS_CLASS = '/apis/networking.k8s.io/v1/ingressclasses'
const LIMIT_MS = 280_000

type Run = { readonly status: number; readonly stdout: string; readonly stderr: string }

/** Runs the script with the lab's kubectl and kubeconfig. */
async function script(args: readonly string[]): Promise<Run> {
  const folder = dirname(await testPrograms.tool('kubectl'))
  const { status, stdout, stderr } = spawnSync('bash', ['scripts/deploy-minikube.sh', ...args], {
    encoding: 'utf8',
    timeout: LIMIT_MS,
    env: {
      ...process.env,
      KUBECONFIG: lab.kubeconfig,
      PATH: `${folder}:${process.env['PATH'] ?? ''}`,
    },
  })
  return { status: status ?? -1, stdout, stderr }
}

/** Minikube itself does not run here: the lab's cluster is taken by its context, and the images by their digests. */
async function flags(): Promise<readonly string[]> {
  const { images } = await pullRelease(await demoRelease(), AbortSignal.timeout(30_000))
  return [
    ...['--context', lab.context, '--namespace', NAMESPACE],
    ...Object.entries(images.images).flatMap(([name, { reference }]) => [
      '--image',
      `${name}=${reference}`,
    ]),
  ]
}

/** Every container that runs, by its id: the same ids mean that nothing was restarted. */
async function containers(api: Cluster): Promise<readonly string[]> {
  const pods = await api.call({ method: 'GET', path: `/api/v1/namespaces/${NAMESPACE}/pods` })
  return listAt(pods.body, 'items')
    .flatMap((pod) => listAt(pod, 'status', 'containerStatuses'))
    .filter((status) => textAt(status, 'name') !== 'migrate')
    .map((status) => textAt(status, 'containerID') ?? '')
    .toSorted()
}

let api: Cluster
beforeAll(async () => {
  api = await cluster()
  await clearNamespace(NAMESPACE, api)
})

describe('deploy-minikube.sh --plan', () => {
  it('says every step and object, needs no Minikube for that, and changes nothing', async () => {
    const plan = await script(['--plan', '--profile', 'nowhere', '--namespace', NAMESPACE])
    expect(plan.status).toBe(0)
    const lines = plan.stdout.split('\n').map((line) => line.trim())
    const order = [
      'would run: minikube addons enable ingress --profile nowhere',
      'would run: minikube addons enable metrics-server --profile nowhere',
      'would run: docker buildx bake --load frontend backend mcp-server ai-agent database local-model',
      'would run: minikube image load --profile nowhere todo/backend:content-hash',
      `would apply: Namespace ${NAMESPACE}`,
      'would apply: Ingress todo-app',
    ].map((step) => lines.indexOf(step))
    expect(order).not.toContain(-1)
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    expect(await statusOf(`/api/v1/namespaces/${NAMESPACE}`)).toBe(404)
  })

  it('says what is wrong with the command line', async () => {
    expect((await script(['--plan', '--image', 'web=x'])).stderr).toMatch(
      /--image web=x: it must be NAME=REFERENCE with NAME one of frontend backend/,
    )
    expect((await script(['--context', lab.context])).stderr).toMatch(
      /--image is missing for: frontend/,
    )
    expect((await script(['--plan', '--contxt'])).stderr).toMatch(/unknown option --contxt/)
  })
})

describe("deploy-minikube.sh, its part in a cluster with Minikube's classes", () => {
  let ours = false

  afterAll(async () => {
    await dropNamespace(NAMESPACE, api)
    if (ours) await api.call({ method: 'DELETE', path: `${INGRESS_CLASS}/nginx` })
  })

  it('refuses a cluster without the ingress class, and names the addon that brings it', async () => {
    if ((await statusOf(`${INGRESS_CLASS}/nginx`)) === 200) return
    const { status, stderr } = await script(await flags())
    expect(status).toBe(1)
    expect(stderr).toMatch(
      /has no IngressClass nginx; with Minikube: minikube addons enable ingress/,
    )
    expect(await statusOf(`/api/v1/namespaces/${NAMESPACE}`)).toBe(404)
    const made = await api.call({
      method: 'POST',
      path: INGRESS_CLASS,
      body: {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IngressClass',
        metadata: { name: 'nginx' },
        spec: { controller: 'k8s.io/ingress-nginx' },
      },
    })
    ours = made.status === 201
    expect(ours).toBe(true)
  })

  it('brings the application up, and done again restarts nothing', async () => {
    const first = await script(await flags())
    expect(`${first.status} ${first.stderr}`).toBe('0 ')
    const path = `/api/v1/namespaces/${NAMESPACE}/services/frontend-service:http/proxy/api/ready`
    expect(await statusOf(path)).toBe(200)
    const before = await containers(api)
    expect(before).toHaveLength(6)
    const second = await script(await flags())
    expect(`${second.status} ${second.stderr}`).toBe('0 ')
    expect(await containers(api)).toEqual(before)
  })

  it("uses Minikube's ingress class for every host, and its storage class", async () => {
    const read = async (path: string) => (await api.call({ method: 'GET', path })).body
    const group = `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/ingresses/todo-app`
    const ingress = await read(group)
    expect(textAt(ingress, 'spec', 'ingressClassName')).toBe('nginx')
    expect(textAt(listAt(ingress, 'spec', 'rules')[0], 'host')).toBeUndefined()
    const claim = await read(
      `/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims/data-postgresql-0`,
    )
    expect(textAt(claim, 'spec', 'storageClassName')).toBe('standard')
  })
})
