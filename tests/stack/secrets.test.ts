import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { at, numberAt } from '../../src/json.ts'
import type { ImageSet } from '../../src/release/imageset.ts'
import { pullRelease } from '../../src/release/release.ts'
import { demoRelease } from '../e2e/lab.ts'
import { recordFact } from './facts.ts'
import { openLab, openPlatform, type Platform, type Values, valuesOf } from './platform.ts'
import { clearNamespace, dropNamespace } from './rendered.ts'
import { deployTree, plantTree, replacing, type Tree, without } from './tree.ts'
import { startVisitor } from './visitor.ts'

const APPLICATION = 'todo-stack-secrets'
const STORES = 'todo-stack-platform'
const READER = 'todo-secret-store'
/** Longer than all of it takes; the visit is ended before. */
const VISIT_S = 240
const ROTATION_S = 120
const store = { kind: 'SecretStore', name: READER }

let api: Cluster
let images: ImageSet
let platform: Platform
let tree: Tree
beforeAll(async () => {
  api = await openLab()
  images = (await pullRelease(await demoRelease(), AbortSignal.timeout(30_000))).images
  const reader = { namespace: APPLICATION, name: READER }
  const [opened] = await Promise.all([
    openPlatform({ namespace: STORES, images, reader }),
    clearNamespace(APPLICATION, api),
  ])
  platform = opened
  tree = await plantTree('secrets', { images, overlays, environments })
})
afterAll(async () => {
  await dropNamespace(APPLICATION, api)
  await platform.close()
})

/** As docs/secrets.md says it: another provider is another value of `provider`, and nothing else. */
const kubernetesProvider = {
  kubernetes: {
    remoteNamespace: STORES,
    server: { caProvider: { type: 'ConfigMap', name: 'kube-root-ca.crt', key: 'ca.crt' } },
    auth: { serviceAccount: { name: READER } },
  },
}
const overlays = {
  // Production, as it is, without the agent, which has no database.
  rotation: {
    'kustomization.yaml': {
      namespace: APPLICATION,
      resources: ['../production'],
      components: ['../../components/external-secrets', '../../components/small-node'],
      patches: [
        replacing(store, { '/spec/provider': kubernetesProvider }),
        without({ labelSelector: 'app.kubernetes.io/name=ai-agent' }),
        without({ kind: 'Ingress' }),
      ],
    },
  },
}
const environments = {
  rotation: { overlay: 'overlays/rotation', namespace: APPLICATION },
}

describe('M15: a rotation of the password of the database', () => {
  const [blue, green] = [newRole('todo_blue'), newRole('todo_green')]
  const values = ({ role, password }: typeof blue): Values => ({
    DATABASE_URL: `postgresql://${role}:${password}@database.${STORES}.svc:5432/todo`,
    AUTH_SECRET: 'a-signing-key-that-stays-the-same-over-the-rotation',
    OPENAI_API_KEY: 'not used here',
  })

  it('reaches a first deploy through the operator', async () => {
    // What belongs to nobody who logs in can be kept when a login is dropped.
    await platform.sql('CREATE ROLE todo_owner NOLOGIN; GRANT ALL ON SCHEMA public TO todo_owner;')
    await platform.sql(blue.create)
    await platform.keep(values(blue))
    const call = await deployTree(tree, 'rotation')
    expect(call.stderr).toContain('Roll out workloads')
    expect(call.report).toMatchObject({ outcome: 'deployed' })
    expect(await valuesOf(APPLICATION, 'todo-secrets', api)).toEqual(values(blue))
    expect(Object.keys(await sessions())).toEqual([blue.role])
  })

  it('is in use within two minutes of its change in the store, and no request is lost', async () => {
    await Promise.all(['backend', 'mcp-server'].map(bothPods))
    const image = images.images['frontend']?.reference ?? ''
    const visitor = await startVisitor({ namespace: APPLICATION, image, seconds: VISIT_S })
    await platform.sql(green.create)
    await platform.keep(values(green))
    const began = performance.now()
    const rolling = deployTree(tree, 'rotation')
    const seconds = await usedOnly(green.role, began)
    await platform.sql(`DROP ROLE ${blue.role}`)
    expect((await rolling).report).toMatchObject({ outcome: 'deployed' })
    await visitor.stop()
    const ends = await visitor.ends()
    const { answered = 0, ...lost } = ends
    recordFact('secrets', 'rotation', {
      seconds: Math.round(seconds),
      requests: answered,
      'requests lost': Object.values(lost).reduce((sum, count) => sum + count, 0),
    })
    expect(lost).toEqual({})
    expect(answered).toBeGreaterThan(100)
    expect(seconds).toBeLessThan(ROTATION_S)
  })

  it('is over with that: the same release again finds nothing to do', async () => {
    expect((await deployTree(tree, 'rotation')).report).toMatchObject({ outcome: 'unchanged' })
  })

  it('does not take back what somebody else has rolled the pods with, as Reloader would', async () => {
    const path = `/apis/apps/v1/namespaces/${APPLICATION}/deployments/mcp-server`
    const annotations = { 'reloader.stakater.com/last-reloaded-from': '{}' }
    const rolled = await api.call({
      method: 'PATCH',
      path: `${path}?fieldManager=Reloader`,
      contentType: 'application/strategic-merge-patch+json',
      body: { spec: { template: { metadata: { annotations } } } },
    })
    expect(rolled.status).toBe(200)
    expect((await deployTree(tree, 'rotation')).report).toMatchObject({ outcome: 'unchanged' })
    const { body } = await api.call({ method: 'GET', path })
    expect(at(body, 'spec', 'template', 'metadata', 'annotations')).toMatchObject(annotations)
  })

  /** The autoscaler has its minimum of two a moment after the deploy. */
  async function bothPods(name: string): Promise<void> {
    const path = `/apis/apps/v1/namespaces/${APPLICATION}/deployments/${name}`
    for (let available = 0; available < 2;) {
      const { body } = await api.call({ method: 'GET', path })
      available = numberAt(body, 'status', 'availableReplicas') ?? 0
      await sleep(500)
    }
  }

  /** Waits until no session of the application has another role. */
  async function usedOnly(role: string, began: number): Promise<number> {
    for (;;) {
      const seconds = (performance.now() - began) / 1000
      const roles = Object.keys(await sessions())
      if (roles.length === 1 && roles[0] === role) return seconds
      if (seconds > ROTATION_S) throw new Error(`After ${seconds} s still ${roles.join()}`)
      await sleep(500)
    }
  }

  /** Sessions of the application by the role they logged in with. */
  async function sessions(): Promise<Readonly<Record<string, number>>> {
    const lines = await platform.sql(
      "SELECT usename, count(*) FROM pg_stat_activity WHERE application_name IN ('backend', 'mcp-server') GROUP BY 1",
    )
    const rows = lines.split('\n').filter((line) => line !== '')
    return Object.fromEntries(
      rows.map((row) => [row.split('|')[0] ?? '', Number(row.split('|')[1])]),
    )
  }
})

/** A login that acts as the owner of everything: tables that it makes are not its own. */
function newRole(role: string) {
  const password = crypto.randomUUID()
  const create = [
    `CREATE ROLE ${role} LOGIN PASSWORD '${password}' IN ROLE todo_owner;`,
    `ALTER ROLE ${role} SET role = todo_owner;`,
  ].join(' ')
  return { role, password, create }
}
