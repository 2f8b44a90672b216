import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseYaml } from '../../../src/yaml.ts'
import { type Cluster, openCluster, reasonOf } from '../../../src/cluster/cluster.ts'
import { at, listAt, textAt } from '../../../src/json.ts'
import { lab } from '../../e2e/lab.ts'
import { testPrograms } from '../../programs.ts'

/** For all of a test file: each single wait has a shorter one of its own. */
const LIMIT_MS = 1_200_000
const KUBECTL_MS = 60_000

/** The namespaces and hosts of this run, in place of those that others use; an earlier run's may still be on their way out. */
const MARK = 'todo-stack-access-'
export const PREFIX = `${MARK}${Date.now().toString(36).slice(-4)}-`
const RENAMED: readonly (readonly [from: string, to: string])[] = [
  ['todo-app-', PREFIX],
  ['todo.localhost', 'access.todo.localhost'],
]
export const IDENTITIES = `${PREFIX}access`

/** A copy of the manifests under names of our own, and the logins that its access trees make. */
export type Stage = {
  readonly folder: string
  readonly admin: Cluster
  /** Does what an administrator does: `kubectl apply -k k8s/access/<environment>`. */
  readonly grant: (environment: string) => Promise<void>
  /** A kubeconfig with a token that the cluster has just issued for a service account. */
  readonly login: (account: string, namespace?: string) => Promise<string>
  /** The administrator's own login, speaking for somebody else. */
  readonly impersonate: (user: string) => Promise<Cluster>
  readonly close: () => Promise<void>
}

export async function openStage(): Promise<Stage> {
  const top = await mkdtemp(join(tmpdir(), 'access-'))
  const folder = join(top, 'k8s')
  await cp('k8s', folder, { recursive: true })
  await rename(folder)
  const admin = await openAs(lab.kubeconfig, lab.context)
  await removeLeftovers(admin)
  const kubectl = await testPrograms.tool('kubectl')
  const run = async (...args: readonly string[]) =>
    await promisify(execFile)(
      kubectl,
      ['--kubeconfig', lab.kubeconfig, '--context', lab.context, ...args],
      { timeout: KUBECTL_MS },
    )
  const granted: string[] = []
  return {
    folder,
    admin,
    grant: async (environment) => {
      granted.push(environment)
      await run('apply', '-k', join(folder, 'access', environment))
    },
    login: async (account, namespace = IDENTITIES) => {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`
      const answer = await admin.call({ method: 'POST', path, body: tokenRequest })
      const token = textAt(answer.body, 'status', 'token')
      if (token === undefined) throw new Error(`no token for ${account}: ${reasonOf(answer)}`)
      return await writeConfig(join(top, account), { token })
    },
    impersonate: async (user) => {
      const own = at(await labConfig(), 'users', 0, 'user')
      const file = join(top, user.replaceAll(/\W/g, '-'))
      return await openAs(await writeConfig(file, { ...(own as object), as: user }))
    },
    close: async () => {
      for (const environment of granted)
        await run(
          ...['delete', '--ignore-not-found', '--wait=false'],
          ...['-k', join(folder, 'access', environment)],
        )
      await rm(top, { recursive: true })
    },
  }
}

const tokenRequest = {
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenRequest',
  spec: { expirationSeconds: 3600 },
}

export async function openAs(kubeconfig: string, context = ''): Promise<Cluster> {
  return await openCluster({ kubeconfig, context }, AbortSignal.timeout(LIMIT_MS))
}

/** A kubeconfig as people write it by hand: the lab's cluster, one user. */
async function writeConfig(file: string, user: object): Promise<string> {
  const written = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    clusters: [{ name: 'here', cluster: at(await labConfig(), 'clusters', 0, 'cluster') }],
    users: [{ name: 'somebody', user }],
    contexts: [{ name: 'here', context: { cluster: 'here', user: 'somebody' } }],
  }
  await writeFile(file, JSON.stringify(written), { mode: 0o600 })
  return file
}

async function labConfig(): Promise<unknown> {
  return parseYaml(await readFile(lab.kubeconfig, 'utf8'))
}

async function rename(folder: string): Promise<void> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const entry of files.filter((found) => found.isFile())) {
    const path = join(entry.parentPath, entry.name)
    const text = await readFile(path, 'utf8')
    const renamed = RENAMED.reduce((whole, [from, to]) => whole.replaceAll(from, to), text)
    await writeFile(path, renamed)
  }
}

/** What a run that was killed left behind. */
async function removeLeftovers(admin: Cluster): Promise<void> {
  const { body } = await admin.call({ method: 'GET', path: '/api/v1/namespaces' })
  for (const namespace of listAt(body, 'items')) {
    const name = textAt(namespace, 'metadata', 'name') ?? ''
    if (!name.startsWith(MARK)) continue
    await admin.call({ method: 'DELETE', path: `/api/v1/namespaces/${name}` })
  }
}
