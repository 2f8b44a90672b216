import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { parseJson, textAt } from '../../src/json.ts'
import { testPrograms } from '../programs.ts'
import { runWell } from './run.ts'

/** The application as plain processes, before containers: a database without a history of migrations. */
export type Phase3 = {
  /** URL of the database. */
  readonly database: string
  /** URL of another database of that server. */
  readonly other: (name: string) => string
  /** URL of the backend, where that is asked for. */
  readonly backend: string
  readonly close: () => Promise<void>
}

const START_MS = 90_000

export async function startPhase3(...parts: readonly 'backend'[]): Promise<Phase3> {
  // Made by the application's own tests, which come first in `npm test`, but not where only these are run.
  if (!existsSync(join(testPrograms.venv, 'bin', 'pytest')))
    await runWell(['bash', 'app/test.sh', testPrograms.venv, '--version'], { seconds: 280 })
  const child = spawn(
    join(testPrograms.venv, 'bin', 'python'),
    ['-m', 'testing.phase3', ...parts],
    {
      cwd: resolve('app'),
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  // It takes its servers down when its input ends, so that they end with us however we do.
  const limit = setTimeout(() => child.kill(), START_MS)
  for await (const line of createInterface(child.stdout)) {
    clearTimeout(limit)
    const told = parseJson(line, 'what testing.phase3 tells')
    const [database = '', backend = ''] = [textAt(told, 'database'), textAt(told, 'backend')]
    return {
      ...{ database, backend },
      other: (name) => Object.assign(new URL(database), { pathname: `/${name}` }).href,
      close: async () => {
        const ended = new Promise((resolve) => child.once('close', resolve))
        child.stdin.end()
        await ended
      },
    }
  }
  throw new Error('the plain processes of Phase III did not start; is app/test.sh through?')
}

/** People and their tasks: every kind of text that has ever been lost on a way, empty ones, and large ones. */
export async function fill(sql: (statements: string) => Promise<string>): Promise<number> {
  await sql(`
    INSERT INTO users (email, password_hash)
    SELECT format('person-%s@example.org', i), md5(i::text) FROM generate_series(1, 60) AS i;
    INSERT INTO tasks (user_id, title, description, completed)
    SELECT id, format('%s %s', (ARRAY['Milch holen', '牛乳を買う', 'להביא חלב', '🥛 "now"', E'a\\tb\\\\n', 'NULL', '\\N'])[1 + i % 7], i),
           CASE WHEN i % 50 = 0 THEN repeat('Zeile — 行 — שורה' || chr(10), 6000) WHEN i % 3 = 0 THEN '' ELSE E'one\\ntwo\\r\\n' END,
           i % 2 = 0
      FROM users CROSS JOIN generate_series(1, 60) AS i WHERE email LIKE 'person-%';
    DELETE FROM tasks WHERE id % 10 = 3;
    INSERT INTO conversations (user_id, title) SELECT id, 'Gespräch' FROM users;
    INSERT INTO messages (conversation_id, role, content, tool_calls)
    SELECT id, 'user', 'add "bread"', '[{"name": "add_task", "arguments": {"title": "bread", "n": 1.50}}]' FROM conversations;
    -- Columns that the application has not, but a person may have added.
    CREATE TABLE oddities (id serial PRIMARY KEY, nothing text, seen timestamptz, weight double precision, raw bytea, "Höhe ""x""" numeric);
    INSERT INTO oddities (nothing, seen, weight, raw, "Höhe ""x""")
    SELECT NULL, timestamptz '2026-10-25 02:30:00 Europe/Berlin' + i * interval '1 minute', 0.1::float8 * i, decode(md5(i::text), 'hex'), i / 7.0
      FROM generate_series(1, 500) AS i;`)
  const count = await sql(`
    SELECT sum((xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM public.%I', relname), false, true, '')))[1]::text::int)
      FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`)
  return Number(count)
}

/** Everything in a database, written down another way than the scripts do: each row as JSON, in the order of its key. */
export const EVERYTHING = `
SELECT md5(string_agg(to_jsonb(u)::text, E'\\n' ORDER BY id)) FROM users AS u;
SELECT md5(string_agg(to_jsonb(t)::text, E'\\n' ORDER BY id)), count(*) FROM tasks AS t;
SELECT md5(string_agg(to_jsonb(c)::text, E'\\n' ORDER BY id)) FROM conversations AS c;
SELECT md5(string_agg(to_jsonb(m)::text, E'\\n' ORDER BY id)) FROM messages AS m;
SELECT md5(string_agg(to_jsonb(o)::text, E'\\n' ORDER BY id)) FROM oddities AS o;
SELECT count(*) FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype = 'f' AND convalidated;
SELECT last_value, is_called FROM tasks_id_seq;`
