import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { applyObject } from '../../src/cluster/apply.ts'
import { discoverResources } from '../../src/cluster/resources.ts'
import { parseJson, textAt } from '../../src/json.ts'
import type { ImageSet } from '../../src/release/imageset.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { cluster, lab } from '../e2e/lab.ts'
import { testPrograms } from '../programs.ts'
import { lockOf } from './helmlab.ts'
import { clearNamespace, dropNamespace, renderAs } from './rendered.ts'
import { kubectl, runWell } from './run.ts'

/** A namespace with the parts of the application that a test wants, from the repository's own manifests. */
export type DataStage = {
  readonly namespace: string
  readonly objects: readonly KubeObject[]
  /** Applies objects of the environment and waits until workloads are ready and Jobs are complete. */
  readonly start: (...names: readonly string[]) => Promise<void>
  /** Runs SQL as the application's role in a database of the namespace's PostgreSQL; returns what it prints. */
  readonly sql: (statements: string, database?: string) => Promise<string>
  readonly close: () => Promise<void>
}

const WAIT = '--timeout=150s'
/** What has a name of its own but belongs to a namespace as a whole. */
const GROUND = ['Namespace', 'NetworkPolicy', 'Secret', 'ServiceAccount', 'ConfigMap']

export async function openDataStage(namespace: string, environment = 'dev'): Promise<DataStage> {
  const api = await cluster()
  await clearNamespace(namespace, api)
  const objects = await renderAs(environment, { namespace }, await currentImages())
  const resources = discoverResources(api)
  const apply = async (selected: readonly KubeObject[]) => {
    for (const object of selected) await applyObject(object, resources, api)
  }
  await apply(objects.filter(({ kind }) => GROUND.includes(kind)))
  return {
    namespace,
    objects,
    start: async (...names) => {
      for (const name of names) {
        const parts = objects.filter(({ kind, metadata }) => isPart(kind, metadata.name, name))
        await apply(parts)
        for (const { kind, metadata } of parts) {
          const object = `${kind.toLowerCase()}/${metadata.name}`
          if (kind === 'Job')
            await kubectl(namespace, ['wait', '--for=condition=Complete', object, WAIT], long)
          if (kind === 'Deployment' || kind === 'StatefulSet')
            await kubectl(namespace, ['rollout', 'status', object, WAIT], long)
        }
      }
    },
    sql: async (statements, database = 'todo') =>
      await sqlInPod({ namespace, pod: 'postgresql-0', database }, statements),
    close: async () => {
      // A connection of its own: the other one has an end.
      await dropNamespace(namespace, await cluster())
    },
  }
}

const long = { seconds: 160 }

function isPart(kind: string, has: string, name: string): boolean {
  if (kind === 'Job') return has.startsWith(name)
  if (kind === 'Service')
    return has === `${name}-service` || (name === 'mcp-server' && has === 'mcp-service')
  return (kind === 'Deployment' || kind === 'StatefulSet') && has === name
}

export type PodDatabase = {
  readonly namespace: string
  readonly pod: string
  readonly database: string
}

/** The password is read where it is needed: it is in no list of arguments. */
const PSQL =
  'PGPASSWORD=$(<"$POSTGRES_PASSWORD_FILE") exec psql -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -U "$POSTGRES_USER" -d "$0"'

export async function sqlInPod(
  { namespace, pod, database }: PodDatabase,
  statements: string,
): Promise<string> {
  const args = ['exec', '--stdin', pod, '--', 'bash', '-c', PSQL, database]
  return (await kubectl(namespace, args, { input: statements })).trim()
}

/** Runs SQL in a database that is reached by its URL; returns what it prints. */
export async function sqlAt(url: string, statements: string): Promise<string> {
  const { hostname, port, username, password, pathname } = new URL(url)
  const env = {
    PGHOST: hostname,
    PGPORT: port,
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: pathname.slice(1),
  }
  return (
    await runWell(['psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1'], {
      env,
      input: statements,
    })
  ).trim()
}

/** The images of the demo's release, with the database image as the working tree makes it: its migrations are what is tested. */
async function currentImages(): Promise<ImageSet> {
  const lock = await lockOf()
  const reference = await databaseImage()
  const digest = reference.split('@')[1] ?? ''
  return { ...lock, images: { ...lock.images, database: { reference, digest, size: 0 } } }
}

const NAME = `${lab.registry}/todo-stack/database`
let image: Promise<string> | undefined

/** Builds and publishes the database image of the working tree, once; returns its reference by digest. */
export async function databaseImage(): Promise<string> {
  return await (image ??= bakeDatabase())
}

async function bakeDatabase(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bake-'))
  const metadata = join(folder, 'metadata.json')
  try {
    await runWell(
      [
        await testPrograms.tool('buildx'),
        ...['bake', 'database', '--builder', lab.builder, '--provenance=false', '--progress=plain'],
        ...['--set', `database.tags=${NAME}`, '--metadata-file', metadata],
        ...['--set', 'database.output=type=registry,oci-mediatypes=true'],
      ],
      { seconds: 280 },
    )
    const built = parseJson(await readFile(metadata, 'utf8'), 'the metadata of bake')
    return `${NAME}@${textAt(built, 'database', 'containerimage.digest') ?? ''}`
  } finally {
    await rm(folder, { recursive: true })
  }
}
