import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { textAt } from '../../src/json.ts'
import { BACKUP, firstLine, RESTORE, waitFor } from './backupbench.ts'
import { type DataStage, openDataStage, sqlAt } from './datastage.ts'
import { recordFact } from './facts.ts'
import { forward } from './forward.ts'
import { EVERYTHING, fill, type Phase3, startPhase3 } from './phase3.ts'
import { environment, kubectl, run, runWell } from './run.ts'

const NAMESPACE = 'todo-stack-data'
const PERSON = { email: 'ada@example.org', password: 'correct horse battery' }

let folder: string
let stage: DataStage
let phase3: Phase3

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drill-'))
  const opened = startPhase3('backend')
  stage = await openDataStage(NAMESPACE)
  await stage.start('postgresql', 'database-migrate')
  await Promise.all([stage.start('backend'), stage.start('mcp-server')])
  phase3 = await opened
}, 280_000)

afterAll(async () => {
  await phase3.close()
  await stage.close()
  await rm(folder, { recursive: true })
})

/** Asks a backend as the browser's server does. */
async function ask(
  base: string,
  path: string,
  how: { token?: string; body?: unknown } = {},
): Promise<unknown> {
  const { token, body } = how
  const answer = await fetch(`${base}${path}`, {
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  })
  expect(`${path} ${answer.status}`).toMatch(/ 20[01]$/)
  return await answer.json()
}

const tokenOf = (answer: unknown): string => textAt(answer, 'token') ?? ''

describe('Phase III data', () => {
  it('moves into the cluster by the commands of docs/data.md, and its people find their tasks with their old passwords', async () => {
    const old = tokenOf(await ask(phase3.backend, '/api/auth/sign-up', { body: PERSON }))
    for (const title of ['buy milk', '牛乳を買う'])
      await ask(phase3.backend, '/api/tasks', { token: old, body: { title } })
    await fill((statements) => sqlAt(phase3.database, statements))
    const before = await sqlAt(phase3.database, EVERYTHING)

    await inRepository(documented('Moving Phase III data into the cluster'), phase3.database)

    expect(await stage.sql(EVERYTHING)).toBe(before)
    expect(
      await stage.sql('SELECT name, is_baseline FROM schema_migrations ORDER BY version'),
    ).toBe('V001__accounts_and_tasks.sql|t\nV002__conversations.sql|t')
    await kubectl(NAMESPACE, ['rollout', 'status', 'deployment/backend', '--timeout=100s'])
    const backend = await forward(NAMESPACE, 'backend-service', 8000)
    try {
      const base = `http://127.0.0.1:${backend.port}`
      const token = tokenOf(await ask(base, '/api/auth/sign-in', { body: PERSON }))
      const tasks = (await ask(base, '/api/tasks', { token })) as readonly unknown[]
      expect(tasks.map((task) => textAt(task, 'title'))).toEqual(['buy milk', '牛乳を買う'])
      // The next number is free, as the sequence says.
      await ask(base, '/api/tasks', { token, body: { title: 'buy bread' } })
    } finally {
      backend.close()
    }
  }, 240_000)
})

/** The first block of commands below a heading of docs/data.md. */
function documented(heading: string): string {
  const text = readFileSync('docs/data.md', 'utf8').split(`\n## ${heading}\n`)[1] ?? ''
  return /^```sh\n(.*?)^```/ms.exec(text)?.[1] ?? ''
}

/** Runs commands as they stand in the documentation, with the URL of the old database in a file. */
async function inRepository(commands: string, url: string): Promise<void> {
  expect(commands).toContain('MIGRATE_BASELINE')
  const repository = await mkdtemp(join(folder, 'repository-'))
  await symlink(resolve('scripts'), join(repository, 'scripts'))
  await writeFile(join(repository, 'phase3.url'), url, { mode: 0o600 })
  const script = `set -euo pipefail; cd "$REPOSITORY"\n${commands}`
  await runWell(['bash', '-c', script], {
    env: { NAMESPACE, REPOSITORY: repository },
    seconds: 200,
  })
}

describe('a restore drill in the cluster', () => {
  const backups = () => join(folder, 'cluster')
  const last = () => join(backups(), readdirSync(backups()).toSorted().at(-1) ?? '')
  const inCluster = ['--namespace', NAMESPACE]

  it('gives back every row, sequence and foreign key, from a database that goes on being written', async () => {
    const writing = new AbortController()
    const written = write(writing.signal)
    const before = await stage.sql(EVERYTHING)
    let started = Date.now()
    await runWell([BACKUP, ...inCluster, '--output', backups()])
    const secondsBackup = (Date.now() - started) / 1000
    writing.abort()
    expect(await written).toBeGreaterThan(0)
    await stage.sql('CREATE DATABASE drill')
    started = Date.now()
    const said = await runWell([RESTORE, last(), ...inCluster, '--database', 'drill'])
    const secondsRestore = (Date.now() - started) / 1000

    // The table that was written to is as it was at one moment: without a gap.
    expect(await stage.sql('SELECT count(*) = max(id) AND count(*) > 0 FROM log', 'drill')).toBe(
      't',
    )
    expect(await stage.sql(EVERYTHING, 'drill')).toBe(before)
    const orphan = "INSERT INTO tasks (user_id, title) VALUES (gen_random_uuid(), 'of nobody')"
    await expect(stage.sql(orphan, 'drill')).rejects.toThrow('violates foreign key constraint')
    const next =
      "INSERT INTO tasks (user_id, title) SELECT id, 'one more' FROM users LIMIT 1 RETURNING id > (SELECT max(id) FROM tasks)"
    expect(await stage.sql(next, 'drill')).toBe('t')
    const rows = Number(/(\d+) rows/.exec(said)?.[1])
    expect(rows).toBeGreaterThan(3000)
    recordFact('restore', 'restore drill', {
      rows,
      'seconds backup': secondsBackup.toFixed(1),
      'seconds restore': secondsRestore.toFixed(1),
      result: 'same rows, hashes, sequences, foreign keys',
    })
  }, 240_000)

  /** Adds rows one after the other until it is told to stop; returns how many. */
  async function write(signal: AbortSignal): Promise<number> {
    await stage.sql(
      'CREATE TABLE log (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz DEFAULT now()); INSERT INTO log DEFAULT VALUES',
    )
    const one = 'INSERT INTO log DEFAULT VALUES;'
    while (!signal.aborted) await stage.sql(one.repeat(200))
    return Number(await stage.sql('SELECT count(*) FROM log'))
  }

  it('leaves an empty database when kubectl is killed in the middle', async () => {
    await stage.sql('CREATE DATABASE killed')
    // It waits for a name that another transaction is about to take: that of the last table.
    const lock = `BEGIN; CREATE TABLE public.users (id int); SELECT pg_sleep(60);`
    const held = stage.sql(lock, 'killed').catch(() => '')
    const activity = (where: string) =>
      stage.sql(`SELECT count(*) FROM pg_stat_activity WHERE datname = 'killed' AND ${where}`)
    await waitFor(async () => (await activity("wait_event = 'PgSleep'")) === '1')
    const child: ChildProcess = spawn(RESTORE, [last(), ...inCluster, '--database', 'killed'], {
      env: { ...(await environment()), TMPDIR: folder },
      stdio: 'ignore',
    })
    await waitFor(
      async () =>
        (await activity("application_name = 'todo-restore' AND wait_event_type = 'Lock'")) === '1',
    )
    child.kill('SIGKILL')
    await stage.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'",
    )
    await held
    await waitFor(async () => (await activity("application_name = 'todo-restore'")) === '0')
    expect(
      await stage.sql(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace",
        'killed',
      ),
    ).toBe('0')
  }, 180_000)

  it('says it first when there is no such namespace', async () => {
    const ended = await run([BACKUP, '--namespace', 'todo-stack-nowhere', '--output', backups()])
    expect(firstLine(ended)).toBe(
      'backup: the namespace todo-stack-nowhere has neither a PostgreSQL nor a migration to learn its database from: name the database image with --image.',
    )
    expect(ended.status).toBe(1)
  })
})
