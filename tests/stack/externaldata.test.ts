import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { applyObject } from '../../src/cluster/apply.ts'
import { discoverResources } from '../../src/cluster/resources.ts'
import { cluster } from '../e2e/lab.ts'
import { BACKUP, firstLine, RESTORE, waitFor } from './backupbench.ts'
import { type DataStage, openDataStage, sqlInPod } from './datastage.ts'
import { recordFact } from './facts.ts'
import { forward } from './forward.ts'
import { EVERYTHING, fill } from './phase3.ts'
import { type Ended, kubectl, run, runWell } from './run.ts'

// The lab's managed PostgreSQL: with TLS, outside the namespaces of the application, and our role there is an ordinary one.
const SERVER = { namespace: 'todo-external', pod: 'postgres-0' }
const HOST = 'postgres.todo-external.svc.cluster.local'
const NAMESPACE = 'todo-stack-external'
const OURS = 'todo_stack_data'
const password = randomBytes(12).toString('hex')

let folder: string
let stage: DataStage

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'external-'))
  await dropDatabases()
  await asAdministrator(`CREATE ROLE ${OURS} LOGIN PASSWORD '${password}'`)
  for (const name of [OURS, `${OURS}_copy`])
    await asAdministrator(`CREATE DATABASE ${name} OWNER ${OURS}`)
  stage = await openDataStage(NAMESPACE, 'production')
  await provideSecret()
  await stage.start('database-migrate')
}, 240_000)

afterAll(async () => {
  await dropDatabases()
  await stage.close()
  await rm(folder, { recursive: true })
})

async function asAdministrator(statements: string, database = 'todo_production'): Promise<string> {
  return await sqlInPod({ ...SERVER, database }, statements)
}

async function dropDatabases(): Promise<void> {
  for (const name of [OURS, `${OURS}_copy`])
    await asAdministrator(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  await asAdministrator(`DROP ROLE IF EXISTS ${OURS}`)
}

/** What a person provides for production: the URL of the database outside. */
async function provideSecret(): Promise<void> {
  const api = await cluster()
  const DATABASE_URL = `postgresql://${OURS}:${password}@${HOST}:5432/${OURS}?sslmode=require`
  const metadata = { name: 'todo-secrets', namespace: NAMESPACE }
  await applyObject(
    { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { DATABASE_URL } },
    discoverResources(api),
    api,
  )
}

type Login = { readonly database: string; readonly password?: string; readonly host?: string }

/**
 * Runs a script as somebody outside the cluster would: with the URL in a file, and the server's certificate checked. Through a door of
 * its own each time, because kubectl closes one when a client has gone without a word.
 */
async function outside(login: Login, ...argv: readonly [string, ...string[]]): Promise<Ended> {
  const door = await forward(SERVER.namespace, 'postgres', 5432)
  try {
    const authority = join(folder, 'tls.crt')
    const secret = ['get', 'secret', 'postgres', '--output', 'jsonpath={.data.tls\\.crt}']
    await writeFile(authority, Buffer.from(await kubectl(SERVER.namespace, secret), 'base64'))
    const query = `sslmode=verify-full&sslrootcert=${authority}&hostaddr=127.0.0.1`
    const address = `${OURS}:${login.password ?? password}@${login.host ?? HOST}:${door.port}`
    const file = join(folder, 'database.url')
    await writeFile(file, `postgresql://${address}/${login.database}?${query}\n`, { mode: 0o600 })
    return await run([...argv, '--url-file', file])
  } finally {
    door.close()
  }
}

const newest = (of: string): string =>
  join(folder, of, readdirSync(join(folder, of)).toSorted().at(-1) ?? '')

it('an external database is backed up and restored from its namespace, without its password leaving the cluster', async () => {
  const sql = (statements: string) => asAdministrator(`SET ROLE ${OURS}; ${statements}`, OURS)
  const rows = await fill(sql)
  const started = Date.now()
  await runWell([BACKUP, '--namespace', NAMESPACE, '--output', join(folder, 'inside')])
  await runWell([RESTORE, newest('inside'), '--namespace', NAMESPACE, '--database', `${OURS}_copy`])
  const seconds = (Date.now() - started) / 1000
  expect(await asAdministrator(EVERYTHING, `${OURS}_copy`)).toBe(
    await asAdministrator(EVERYTHING, OURS),
  )
  await waitFor(async () => {
    const left = await kubectl(NAMESPACE, ['get', 'pods', '--output', 'name'])
    return !/backup|restore/.test(left)
  })
  recordFact('restore', 'restore drill, external with TLS', {
    rows,
    'seconds both': seconds.toFixed(1),
    result: 'same rows, hashes, sequences, foreign keys',
  })
}, 280_000)

it('an external database is backed up and replaced by its URL, with its certificate checked', async () => {
  const [source, copy] = [{ database: OURS }, { database: `${OURS}_copy` }]
  const good = { status: 0, stderr: '' }
  expect(await outside(source, BACKUP, '--output', join(folder, 'outside'))).toMatchObject(good)
  await asAdministrator('DELETE FROM tasks', copy.database)
  const replaced = await outside(copy, RESTORE, newest('outside'), '--replace')
  expect(replaced).toMatchObject(good)
  const aside = /DROP SCHEMA (before_restore_\w+) CASCADE/.exec(replaced.stdout)?.[1] ?? ''
  expect(await asAdministrator(EVERYTHING, copy.database)).toBe(
    await asAdministrator(EVERYTHING, OURS),
  )
  expect(await asAdministrator(`SELECT count(*) FROM ${aside}.tasks`, copy.database)).toBe('0')
  // What was replaced can be backed up as before, without what was put aside.
  expect(await outside(copy, BACKUP, '--output', join(folder, 'again'))).toMatchObject(good)
  expect(await outside(copy, RESTORE, newest('again'), '--replace')).toMatchObject(good)
}, 280_000)

it('a wrong password and a certificate of another host are told in the first line', async () => {
  const wrong = await outside({ database: OURS, password: 'wrong-secret' }, BACKUP)
  expect(firstLine(wrong)).toMatch(
    /^backup: the database cannot be read: .*password authentication failed for user "todo_stack_data"/,
  )
  const other = await outside({ database: OURS, host: 'elsewhere.example.org' }, BACKUP)
  expect(firstLine(other)).toMatch(
    /^backup: the database cannot be read: .*server certificate .* does not match host name "elsewhere\.example\.org"/,
  )
  expect([wrong.status, other.status]).toEqual([1, 1])
  expect(wrong.stderr + other.stderr).not.toMatch(new RegExp(`wrong-secret|${password}`))
}, 120_000)
