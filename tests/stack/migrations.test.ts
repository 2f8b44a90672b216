import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { applyObject } from '../../src/cluster/apply.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { discoverResources } from '../../src/cluster/resources.ts'
import { at } from '../../src/json.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { cluster } from '../e2e/lab.ts'
import { type DataStage, openDataStage } from './datastage.ts'
import { recordFact } from './facts.ts'
import { kubectl } from './run.ts'

const NAMESPACE = 'todo-stack-migrations'
const SLEEPING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
const WAIT_MS = 60_000
/** Takes its time until somebody has made the table `hurry`. */
const SLOW = `-- todo-deploy: expand
CREATE TABLE slow (id int);
SELECT pg_sleep(CASE WHEN to_regclass('hurry') IS NULL THEN 100 ELSE 0 END);
`

let stage: DataStage
let api: Cluster

beforeAll(async () => {
  api = await cluster()
  stage = await openDataStage(NAMESPACE)
  await stage.start('postgresql')
  await apply({
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'more', namespace: NAMESPACE } },
    data: { ...(await ownMigrations()), 'V003__slow.sql': SLOW },
  })
}, 240_000)

afterAll(async () => {
  await stage.close()
})

async function apply(object: KubeObject): Promise<void> {
  await applyObject(object, discoverResources(api), api)
}

async function ownMigrations(): Promise<Readonly<Record<string, string>>> {
  const names = ['V001__accounts_and_tasks.sql', 'V002__conversations.sql']
  const read = async (name: string) =>
    [name, await readFile(join('app', 'database', 'migrations', name), 'utf8')] as const
  return Object.fromEntries(await Promise.all(names.map(read)))
}

/** The Job of the release under another name, with one migration more. */
function jobWithMore(name: string): KubeObject {
  const job = stage.objects.find(({ kind }) => kind === 'Job') as KubeObject
  const changed = JSON.parse(JSON.stringify(job)) as Record<string, unknown>
  const pod = at(changed, 'spec', 'template', 'spec') as {
    containers: { env: unknown[]; volumeMounts: unknown[] }[]
    volumes: unknown[]
  }
  pod.volumes.push({ name: 'more', configMap: { name: 'more' } })
  pod.containers[0]?.volumeMounts.push({ name: 'more', mountPath: '/more' })
  pod.containers[0]?.env.push({ name: 'MIGRATIONS_DIR', value: '/more' })
  return { ...changed, metadata: { ...job.metadata, name } } as KubeObject
}

async function waitFor(what: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (!(await what())) {
    if (Date.now() > deadline) throw new Error('what was waited for did not come')
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

async function podsOf(job: string): Promise<readonly string[]> {
  const args = ['get', 'pods', '--selector', `job-name=${job}`, '--output', 'name']
  return (await kubectl(NAMESPACE, args)).split('\n').filter((line) => line !== '')
}

test('a Job whose pod is killed in the middle is finished by its next pod, and another one at the same time waits', async () => {
  await apply(jobWithMore('first'))
  await waitFor(async () => (await stage.sql(SLEEPING)) === '1')
  const [killed = ''] = await podsOf('first')
  await apply(jobWithMore('second'))
  await stage.sql('CREATE TABLE hurry ()')
  const started = Date.now()
  await kubectl(NAMESPACE, ['delete', killed, '--grace-period=0', '--force'])
  const complete = ['--for=condition=Complete', '--timeout=100s']
  await kubectl(NAMESPACE, ['wait', 'job/first', 'job/second', ...complete], { seconds: 110 })
  const seconds = (Date.now() - started) / 1000

  const recorded = await stage.sql(
    'SELECT name, kind, finished_at IS NOT NULL FROM schema_migrations ORDER BY version',
  )
  expect(recorded.split('\n')).toEqual([
    'V001__accounts_and_tasks.sql|expand|t',
    'V002__conversations.sql|expand|t',
    'V003__slow.sql|expand|t',
  ])
  expect(await stage.sql('SELECT count(*) FROM slow')).toBe('0')
  expect(await podsOf('first')).not.toContain(killed)
  recordFact('database', 'migration', {
    'pod killed in the middle': `finished ${seconds.toFixed(0)} s later`,
  })
}, 240_000)

test("the database's own pod says where every migration stands, and a release without the newest one is no error", async () => {
  const status = await kubectl(NAMESPACE, ['exec', 'postgresql-0', '--', 'migrate', 'status'])
  expect(status.split('\n').map((line) => line.split(/\s+/).slice(0, 3).join(' '))).toEqual([
    'applied expand V001__accounts_and_tasks.sql',
    'applied expand V002__conversations.sql',
    'ahead expand V003__slow.sql',
    '',
  ])
  await stage.start('database-migrate')
  expect(await stage.sql('SELECT count(*) FROM schema_migrations')).toBe('3')
}, 120_000)
