import type { ChildProcess } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  allArguments,
  BACKUP,
  type Bench,
  contents,
  endOf,
  firstLine,
  openBench,
  RESTORE,
  waitFor,
} from './backupbench.ts'
import { damages } from './damages.ts'
import { databaseImage, sqlAt } from './datastage.ts'
import { type Ended, environment, run, runWell } from './run.ts'
import { type SmallServer, startSmallServer } from './smallserver.ts'

let bench: Bench
/** An empty database, which every one of these failures leaves empty. */
let target: string

beforeAll(async () => {
  bench = await openBench()
  target = await bench.empty('target')
}, 240_000)

afterAll(async () => {
  await bench.close()
})

describe('a backup that cannot be made', () => {
  it('says that the password is wrong, and does not show it', async () => {
    const url = Object.assign(new URL(bench.url), { password: 'wrong-secret' }).href
    const ended = await bench.backup(url, 'refused')
    expect(firstLine(ended)).toMatch(
      /^backup: the database cannot be read: .*password authentication failed for user "todo"; there is no backup\.$/,
    )
    expect(ended.status).toBe(1)
    expect(ended.stderr + ended.stdout).not.toContain('wrong-secret')
    expect(readdirSync(join(bench.folder, 'refused'))).toEqual([])
  })

  it('says that the disk is full and leaves nothing', async () => {
    const image = await databaseImage()
    await runWell(['docker', 'pull', '--quiet', image])
    const inside =
      'bash /scripts/backup-postgres.sh --output /out; status=$?; ls -A /out; exit $status'
    const ended = await run(
      [
        ...(['docker', 'run', '--rm', '--network', 'host', '--env', 'DATABASE_URL'] as const),
        ...['--tmpfs', '/out:size=64k,uid=10001', '--volume', `${resolve('scripts')}:/scripts:ro`],
        ...[image, 'bash', '-c', inside],
      ],
      { env: { DATABASE_URL: bench.url } },
    )
    expect(firstLine(ended)).toBe('backup: the disk of /out is full; there is no backup.')
    expect([ended.status, ended.stdout]).toEqual([1, ''])
  }, 120_000)

  it('says that the programs are of another version than the server', async () => {
    // A stand-in for an older pg_dump, which this machine does not have.
    const bin = join(bench.folder, 'bin')
    await mkdir(bin)
    await writeFile(join(bin, 'pg_dump'), '#!/bin/sh\necho "pg_dump (PostgreSQL) 14.2"\n')
    await chmod(join(bin, 'pg_dump'), 0o755)
    const PATH = `${bin}:${(await environment())['PATH'] ?? ''}`
    const ended = await bench.backup(bench.url, 'old', { PATH })
    expect(firstLine(ended)).toMatch(
      /^backup: pg_dump here is 14\.2, the server 15\.\d+: use PostgreSQL's programs of version 15; there is no backup\.$/,
    )
    expect(ended.status).toBe(1)
  })

  it.each([
    ['SIGKILL', /^\.todo-.*\.partial$/],
    ['SIGTERM', /^nothing$/],
  ] as const)(
    'leaves nothing that looks like one after %s, and shows no password meanwhile',
    async (signal, left) => {
      const release = await bench.hold(bench.url, 'LOCK TABLE tasks')
      const output = join(bench.folder, signal)
      const child = await bench.start(BACKUP, ['--output', output], bench.url)
      await waitFor(async () => (await bench.sql(WAITING)) === '1')
      expect(allArguments()).toContain('dump.sh')
      expect(allArguments()).not.toContain('only-for-tests')
      const end = endOf(child)
      child.kill(signal)
      expect((await end).status).not.toBe(0)
      await release()
      await waitFor(() => !allArguments().includes('dump.sh'))
      for (const name of readdirSync(output)) expect(name).toMatch(left)
    },
    60_000,
  )
})

const WAITING =
  "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'todo-backup' AND wait_event_type = 'Lock'"

describe('a restore into a server with a full disk', () => {
  let server: SmallServer

  beforeAll(async () => {
    server = await startSmallServer()
  }, 120_000)

  afterAll(async () => {
    await server.close()
  })

  it('says so, changes nothing, and goes well when there is room', async () => {
    const { url } = server
    await sqlAt(url, "CREATE TABLE tasks AS SELECT 'what was there' AS title")
    await server.fillDisk()
    const ended = await bench.restore(bench.good, url, '--replace')
    expect(firstLine(ended)).toMatch(
      /^restore: the disk of the database is full, nothing was changed: make room for twice the size of the data, .* No space left on device$/,
    )
    expect(ended.status).toBe(1)
    expect(await sqlAt(url, 'SELECT title FROM tasks')).toBe('what was there')

    await server.makeRoom()
    expect(await bench.restore(bench.good, url, '--replace')).toMatchObject({
      status: 0,
      stderr: '',
    })
    expect(await contents(url)).toBe(await contents(bench.url))
    const aside = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'before_restore_%'"
    expect(await sqlAt(url, `SELECT title FROM ${await sqlAt(url, aside)}.tasks`)).toBe(
      'what was there',
    )
  }, 120_000)
})

describe('a restore that cannot be made says why, and changes nothing:', () => {
  it.each(damages)(
    '$name',
    async ({ name, damage, says }) => {
      const copy = await bench.damaged(name.replaceAll(' ', '-'), damage)
      for (const [to, options] of [
        [target, []],
        [bench.url, ['--replace']],
      ] as const) {
        const before = await contents(to)
        const ended = await bench.restore(copy, to, ...options)
        expect(firstLine(ended)).toMatch(says)
        expect(ended.status).toBe(1)
        expect(await contents(to)).toBe(before)
      }
    },
    60_000,
  )

  it('tables that are there', async () => {
    const before = await contents(bench.url)
    const ended = await bench.restore(bench.good, bench.url)
    expect(firstLine(ended)).toMatch(
      /^restore: the database is not empty, nothing was changed: it has public\.conversations, .* Restore into an empty one, or use --replace\.$/,
    )
    expect(ended.status).toBe(1)
    expect(await contents(bench.url)).toBe(before)
  })

  it('a wrong password', async () => {
    const url = Object.assign(new URL(bench.url), { password: 'wrong-secret' }).href
    const ended = await bench.restore(bench.good, url)
    expect(firstLine(ended)).toMatch(
      /^restore: the database cannot be used, nothing was changed: .*password authentication failed/,
    )
    expect(ended.status).toBe(1)
    expect(ended.stderr + ended.stdout).not.toContain('wrong-secret')
  })

  it('a row that the server refuses in the middle, where psql by itself would go on and end well', async () => {
    const url = await bench.empty('refusing')
    const ended = await bench.restore(bench.good, url)
    expect(firstLine(ended)).toBe(
      'restore: the restore broke off, nothing was changed: ERROR: this row is refused',
    )
    expect([ended.status, await contents(url)]).toEqual([1, 'nothing'])
  })
})

describe('a restore that is ended in the middle changes nothing:', () => {
  const ours = "FROM pg_stat_activity WHERE application_name = 'todo-restore'"

  /** Restores into an empty database until it waits in one of the last rows; ends it, and then lets the server go on. */
  async function endInTheMiddle(
    end: (child: ChildProcess) => Promise<unknown> | boolean,
  ): Promise<Ended> {
    const url = await bench.empty('waiting')
    const letGo = await bench.hold(url, 'SELECT pg_advisory_xact_lock(7)')
    const child = await bench.start(RESTORE, [bench.good], url)
    const ended = endOf(child)
    await waitFor(
      async () => (await bench.sql(`SELECT count(*) ${ours} AND wait_event = 'advisory'`)) === '1',
    )
    await end(child)
    const [how] = await Promise.all([ended, letGo()])
    await waitFor(async () => (await bench.sql(`SELECT count(*) ${ours}`)) === '0')
    expect(await contents(url)).toBe('nothing')
    return how
  }

  it('by SIGKILL', async () => {
    expect((await endInTheMiddle((child) => child.kill('SIGKILL'))).status).toBe(-1)
  }, 120_000)

  it('by SIGTERM', async () => {
    const ended = await endInTheMiddle((child) => child.kill('SIGTERM'))
    expect(firstLine(ended)).toBe('restore: stopped by a signal; nothing was changed.')
    expect(ended.status).toBe(1)
  }, 120_000)

  it('by the loss of its connection', async () => {
    const ended = await endInTheMiddle(() => bench.sql(`SELECT pg_terminate_backend(pid) ${ours}`))
    expect(firstLine(ended)).toMatch(
      /^restore: the connection to the database was lost, nothing was changed: FATAL: terminating connection/,
    )
    expect(ended.status).toBe(1)
  }, 120_000)

  it('but one that nobody ends is there when the wait is over', async () => {
    const url = await bench.empty('waiting')
    const letGo = await bench.hold(url, 'SELECT pg_advisory_xact_lock(7)')
    const child = await bench.start(RESTORE, [bench.good], url)
    const ended = endOf(child)
    await waitFor(
      async () => (await bench.sql(`SELECT count(*) ${ours} AND wait_event = 'advisory'`)) === '1',
    )
    await letGo()
    expect(await ended).toMatchObject({ status: 0, stderr: '' })
    expect(await contents(url)).toBe(await contents(bench.url))
  }, 120_000)
})
