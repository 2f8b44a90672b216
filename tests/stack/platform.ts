import { readFile } from 'node:fs/promises'
import { type Cluster, openCluster } from '../../src/cluster/cluster.ts'
import { at, textAt } from '../../src/json.ts'
import type { ImageSet } from '../../src/release/imageset.ts'
import { conditionOf } from '../../src/rollout/readiness/readiness.ts'
import { lab } from '../e2e/lab.ts'
import { databasePod, serviceOf, vaultPod } from './platformpods.ts'
import { clearNamespace, dropNamespace } from './rendered.ts'

/**
 * What a platform has beside the namespaces of an application: a managed PostgreSQL, a Secret that serves as a store, and a stand-in
 * for Vault. All of it in one namespace, with values that are made up for the run.
 */
export type Platform = {
  /** Replaces the values of the store that is a Secret. */
  readonly keep: (values: Values) => Promise<void>
  /** Writes a new version of a path into the stand-in for Vault. */
  readonly keepInVault: (path: string, values: Values) => Promise<void>
  /** Runs SQL as the administrator of the database; returns what it prints. */
  readonly sql: (statements: string) => Promise<string>
  readonly close: () => Promise<void>
}
export type Values = Readonly<Record<string, string>>

type Options = {
  readonly namespace: string
  readonly images: ImageSet
  /** `namespace/name` of the service account that may read the Secret that is the store. */
  readonly reader?: { readonly namespace: string; readonly name: string }
  /** Roles of the stand-in for Vault, as its file has them. */
  readonly vaultRoles?: unknown
}

/** The lab's cluster, for as long as a file of tests may take. */
export async function openLab(): Promise<Cluster> {
  const { kubeconfig, context } = lab
  return await openCluster({ kubeconfig, context }, AbortSignal.timeout(FILE_MS))
}

const FILE_MS = 900_000
const STORE = 'todo-app'
const READY_MS = 60_000
const LOOK_AGAIN_MS = 500

export async function openPlatform(options: Options): Promise<Platform> {
  const { namespace, images, reader, vaultRoles } = options
  const api = await openLab()
  const core = `/api/v1/namespaces/${namespace}`
  const make = makerIn(namespace, api)
  const image = (name: string) => images.images[name]?.reference ?? ''
  const rootToken = `root-${crypto.randomUUID()}`
  await clearNamespace(namespace, api)
  await make('/api/v1/namespaces', { metadata: { name: namespace } })
  if (reader !== undefined) {
    await make(`${core}/secrets`, { metadata: { name: STORE } })
    await allowToRead(reader, namespace, make)
    const admin = { metadata: { name: 'admin' }, stringData: { password: crypto.randomUUID() } }
    await make(`${core}/secrets`, admin)
    await make(`${core}/services`, serviceOf('database', 5432))
    await make(`${core}/pods`, databasePod(image('database')))
  }
  if (vaultRoles !== undefined) {
    const config = JSON.stringify({ rootToken, roles: vaultRoles })
    await make(`${core}/secrets`, { metadata: { name: 'vault' }, stringData: { config } })
    const program = await readFile('tests/stack/vault.ts', 'utf8')
    await make(`${core}/configmaps`, {
      metadata: { name: 'vault' },
      data: { 'vault.ts': program },
    })
    await make(`${core}/services`, serviceOf('vault', 8200))
    await make(`${core}/pods`, vaultPod(image('frontend')))
  }
  await waitForPods(namespace, api)
  return {
    keep: async (values) => {
      const data = Object.fromEntries(
        Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
      )
      await make(`${core}/secrets/${STORE}`, { metadata: { name: STORE }, data }, { method: 'PUT' })
    },
    keepInVault: async (path, data) => {
      const proxy = `${core}/services/vault:8200/proxy/v1/secret/data/${path}`
      await make(proxy, { data }, { headers: { 'x-vault-token': rootToken } })
    },
    sql: (statements) => runSql(statements, namespace, api),
    close: () => dropNamespace(namespace, api),
  }
}

/** What a Secret of a namespace holds now; nothing where there is none. */
export async function valuesOf(namespace: string, secret: string, api: Cluster): Promise<Values> {
  const path = `/api/v1/namespaces/${namespace}/secrets/${secret}`
  const data = at((await api.call({ method: 'GET', path })).body, 'data') ?? {}
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [
      key,
      Buffer.from(String(value), 'base64').toString(),
    ]),
  )
}

type Make = (
  path: string,
  body: object,
  how?: { readonly method?: 'POST' | 'PUT'; readonly headers?: Values },
) => Promise<void>

function makerIn(namespace: string, api: Cluster): Make {
  return async (path, body, { method = 'POST', headers = {} } = {}) => {
    const answer = await api.call({ method, path, body, headers })
    if (answer.status >= 300) throw new Error(`${namespace}: ${method} ${path}: ${answer.text}`)
  }
}

/** The reader may get this one Secret and see nothing else. */
async function allowToRead(
  reader: { readonly namespace: string; readonly name: string },
  namespace: string,
  make: Make,
): Promise<void> {
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`
  await make(`${rbac}/roles`, {
    metadata: { name: 'store-reader' },
    rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: [STORE], verbs: ['get'] }],
  })
  await make(`${rbac}/rolebindings`, {
    metadata: { name: 'store-reader' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'store-reader' },
    subjects: [{ kind: 'ServiceAccount', ...reader }],
  })
}

async function runSql(statements: string, namespace: string, api: Cluster): Promise<string> {
  // The password is read where it is needed: it is in no list of arguments.
  const script =
    'PGPASSWORD=$(cat /run/admin/password) exec psql -X -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -U todo -d todo -c "$0"'
  const answer = await api.exec({
    ...{ namespace, pod: 'database', container: 'database', timeoutSeconds: 20 },
    argv: ['bash', '-c', script, statements],
  })
  if (answer.status !== 0) throw new Error(`psql: ${answer.stderr} ${answer.message}`)
  return answer.stdout
}

async function waitForPods(namespace: string, api: Cluster): Promise<void> {
  const deadline = Date.now() + READY_MS
  for (;;) {
    const { body } = await api.call({ method: 'GET', path: `/api/v1/namespaces/${namespace}/pods` })
    const { items } = body as { readonly items: readonly unknown[] }
    const waiting = items.filter((pod) => textAt(conditionOf(pod, 'Ready'), 'status') !== 'True')
    if (waiting.length === 0) return
    if (Date.now() > deadline) throw new Error(`${namespace}: pods are not ready`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
  }
}
