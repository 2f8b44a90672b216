import { readdirSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { composeConfig } from '../../lab/compose.ts'
import { BACKUP, RESTORE } from './backupbench.ts'
import { databaseImage } from './datastage.ts'
import { EVERYTHING, fill } from './phase3.ts'
import { runWell } from './run.ts'

const COMPOSE = ['docker', 'compose'] as const
const LIMIT_MS = 180_000
/** In the container, where the password is. */
const PSQL =
  'PGPASSWORD=$POSTGRES_PASSWORD exec psql -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -U "$POSTGRES_USER" -d "$0"'

let folder: string
let env: Readonly<Record<string, string>>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'compose-data-'))
  // The project's own file, with the image as it is built from this tree, and no port of this machine.
  const image = await databaseImage()
  const services = { database: { image }, migrate: { image } }
  await writeFile(join(folder, 'images.json'), JSON.stringify({ services }))
  const files = ['docker-compose.yml', join(folder, 'images.json')].join(delimiter)
  env = {
    ...{ COMPOSE_PROJECT_NAME: 'todo-stack-data', COMPOSE_FILE: files, DATABASE_PORT: '0' },
    DOCKER_CONFIG: composeConfig,
  }
  await runWell([...COMPOSE, 'up', '--detach', '--wait', '--no-build', 'database'], { env })
  await runWell([...COMPOSE, 'run', '--rm', '--no-TTY', 'migrate'], { env })
}, LIMIT_MS)

afterAll(async () => {
  await runWell([...COMPOSE, 'down', '--volumes', '--timeout', '5'], { env })
  await rm(folder, { recursive: true })
})

async function sql(statements: string, database = 'todo'): Promise<string> {
  const argv = [...COMPOSE, 'exec', '-T', 'database', 'bash', '-c', PSQL, database] as const
  return await runWell(argv, { env, input: statements })
}

it(
  'the database of docker compose is backed up and restored beside itself',
  async () => {
    await fill(sql)
    await runWell([BACKUP, '--compose', '--output', join(folder, 'backups'), '--keep', '1'], {
      env,
    })
    await runWell([BACKUP, '--compose', '--output', join(folder, 'backups'), '--keep', '1'], {
      env,
    })
    const [backup = '', ...more] = readdirSync(join(folder, 'backups'))
    expect(more).toEqual([])
    await sql('CREATE DATABASE drill')
    await runWell([RESTORE, join(folder, 'backups', backup), '--compose', '--database', 'drill'], {
      env,
    })
    expect(await sql(EVERYTHING, 'drill')).toBe(await sql(EVERYTHING))
  },
  LIMIT_MS,
)
