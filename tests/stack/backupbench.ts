import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqlAt } from './datastage.ts'
import { EVERYTHING, fill, type Phase3, startPhase3 } from './phase3.ts'
import { type Ended, environment, run } from './run.ts'

export const BACKUP = 'scripts/backup-postgres.sh'
export const RESTORE = 'scripts/restore-postgres.sh'

/** A server with a full database, a backup of it, and what it takes to break both. */
export type Bench = {
  readonly folder: string
  readonly url: string
  /** Runs SQL in the full database. */
  readonly sql: (statements: string) => Promise<string>
  /** Makes an empty database; returns its URL. */
  readonly empty: (name: string) => Promise<string>
  readonly backup: (url: string, output: string, env?: Record<string, string>) => Promise<Ended>
  readonly restore: (from: string, url: string, ...options: readonly string[]) => Promise<Ended>
  /** Runs a statement that takes a lock, and holds that until it is told to let go. */
  readonly hold: (url: string, statement: string) => Promise<() => Promise<void>>
  /** Starts one of the scripts and does not wait. */
  readonly start: (script: string, args: readonly string[], url: string) => Promise<ChildProcess>
  /** The folder of a good backup. */
  readonly good: string
  /** A copy of it, after something was done to its files. */
  readonly damaged: (name: string, damage: (copy: string) => Promise<void>) => Promise<string>
  readonly close: () => Promise<void>
}

const WAIT_MS = 30_000
/** A row of this table waits for a lock or is refused while it is restored into a database of that name, and only then. */
const TRAPS = `
CREATE FUNCTION trap() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
  IF current_setting('application_name') = 'todo-restore' AND current_database() = 'waiting' THEN
    PERFORM pg_advisory_xact_lock_shared(7);
  ELSIF current_setting('application_name') = 'todo-restore' AND current_database() = 'refusing' THEN
    RAISE 'this row is refused';
  END IF;
  RETURN true; END $$;
CREATE TABLE zz_trap (id int CHECK (trap()));
INSERT INTO zz_trap VALUES (1);`

export async function openBench(): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'backup-'))
  const phase3: Phase3 = await startPhase3()
  const url = phase3.database
  const sql = async (statements: string) => await sqlAt(url, statements)
  const backup: Bench['backup'] = async (from, output, env = {}) =>
    await run([BACKUP, '--output', join(folder, output)], { env: { DATABASE_URL: from, ...env } })
  await fill(sql)
  await sql(TRAPS)
  const { status, stderr } = await backup(url, 'good')
  if (status !== 0) throw new Error(stderr)
  const good = join(folder, 'good', readdirSync(join(folder, 'good'))[0] ?? '')
  return {
    ...{ folder, url, sql, backup, good },
    empty: async (name) => {
      await sql(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
      await sql(`CREATE DATABASE ${name}`)
      return phase3.other(name)
    },
    restore: async (from, to, ...options) =>
      await run([RESTORE, from, ...options], { env: { DATABASE_URL: to } }),
    hold: async (to, statement) => {
      const name = `holder-${Date.now()}`
      const settings = `SET application_name = '${name}'; SET statement_timeout = 0;`
      const held = sqlAt(to, `${settings} BEGIN; ${statement}; SELECT pg_sleep(60);`).catch(
        () => '',
      )
      const holder = `FROM pg_stat_activity WHERE application_name = '${name}' AND wait_event = 'PgSleep'`
      await waitFor(async () => (await sql(`SELECT count(*) ${holder}`)) === '1')
      return async () => {
        await sql(`SELECT pg_terminate_backend(pid) ${holder}`)
        await held
      }
    },
    start: async (script, args, to) => {
      // What a killed one leaves is removed with the rest.
      const env = { ...(await environment()), DATABASE_URL: to, TMPDIR: folder }
      return spawn(script, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
    },
    damaged: async (name, damage) => {
      const copy = join(folder, name)
      await cp(good, copy, { recursive: true })
      await damage(copy)
      return copy
    },
    close: async () => {
      await phase3.close()
      await rm(folder, { recursive: true })
    },
  }
}

export async function edit(file: string, change: (text: string) => string): Promise<void> {
  await writeFile(file, change(await readFile(file, 'utf8')))
}

/** What is in a database whose tables may not be there. */
export async function contents(url: string): Promise<string> {
  const tables = await sqlAt(
    url,
    "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace",
  )
  return tables === '0' ? 'nothing' : await sqlAt(url, EVERYTHING)
}

export const firstLine = ({ stderr }: Ended): string => stderr.split('\n')[0] ?? ''

export async function waitFor(what: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (!(await what())) {
    if (Date.now() > deadline) throw new Error('what was waited for did not come')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** How a started script ended, and what it said. */
export async function endOf(child: ChildProcess): Promise<Ended> {
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const status = await new Promise<number>((resolve) => {
    child.once('close', resolve)
    // Killed, it has nothing more to say, though what it had started may go on for a while.
    child.once('exit', (code) => {
      if (code === null) resolve(-1)
    })
  })
  return { status, stdout: '', stderr }
}

/** The arguments of every process of this machine, as anybody on it can read them. */
export function allArguments(): string {
  const read = (id: string): string => {
    try {
      return readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ')
    } catch {
      return '' // It ended meanwhile.
    }
  }
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return processes.map(read).join('\n')
}
