import { gunzipSync, gzipSync } from 'node:zlib'
import { UserError } from '../errors.ts'
import { parseJson, textAt } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'
import { type Cluster, reasonOf } from './cluster.ts'

/** An object that a deploy wrote, and which one it was; an empty UID where it was about to write it. */
export type InventoryEntry = { readonly object: KubeObject; readonly uid: string }

/** An object that a release no longer has, and where it came from if not from where the release does. */
export type LeftEntry = InventoryEntry & { readonly origin?: string }

/** What an environment knows about itself, kept in its own namespace. */
export type EnvironmentState = {
  readonly version: 1
  readonly application: string
  readonly environment: string
  /** The last release that became ready, with its rendered objects: what a rollback returns to. */
  readonly good?: {
    readonly release: string
    readonly planHash: string
    readonly at: string
    readonly inventory: readonly InventoryEntry[]
    /** Where its objects come from: the overlay or the chart. */
    readonly overlay?: string
    /** What earlier releases had, and nobody has removed yet. */
    readonly left?: readonly LeftEntry[]
  }
  /** Releases that were good, oldest first. */
  readonly history?: readonly string[]
  /** Releases that the database has left behind, and the migrations that did it. */
  readonly outdated?: { readonly releases: readonly string[]; readonly by: readonly string[] }
  /** A deploy that began and has not said how it ended: killed, or still running. */
  readonly pending?: {
    readonly release: string
    readonly at: string
    readonly created: readonly InventoryEntry[]
    /** Whether it was already on its way back to the last good release. */
    readonly isWayBack?: boolean
    /** By workload: which Deployment served when it began, with how many pods. */
    readonly traffic?: Readonly<
      Record<string, { readonly deployment: string; readonly replicas: number }>
    >
  }
}

const NAME = 'todo-deploy-state'
/** A Secret holds 1 MiB; the rest is for its metadata and the base64 of the wire. */
const SIZE_LIMIT = 1_000_000

/** Reads the state Secret of a namespace, or undefined where nothing was deployed yet. */
export async function readState(
  namespace: string,
  cluster: Cluster,
): Promise<EnvironmentState | undefined> {
  const answer = await cluster.call({
    method: 'GET',
    path: `/api/v1/namespaces/${namespace}/secrets/${NAME}`,
  })
  if (answer.status === 404) return undefined
  if (answer.status !== 200)
    throw new UserError(`This login can't read the state of ${namespace}: ${reasonOf(answer)}`)
  const packed = Buffer.from(textAt(answer.body, 'data', 'state') ?? '', 'base64')
  return parseJson(gunzipSync(packed).toString(), `the state of ${namespace}`) as EnvironmentState
}

/** Writes the state. It is a Secret because rendered objects may hold Secrets. */
export async function writeState(
  namespace: string,
  state: EnvironmentState,
  cluster: Cluster,
): Promise<void> {
  const packed = gzipSync(JSON.stringify(state)).toString('base64')
  if (packed.length > SIZE_LIMIT)
    throw new UserError(
      `The state of ${namespace} has ${packed.length} bytes, and a Secret holds ${SIZE_LIMIT}; split the release into several applications`,
    )
  const answer = await cluster.call({
    method: 'PATCH',
    path: `/api/v1/namespaces/${namespace}/secrets/${NAME}?fieldManager=todo-deploy&force=true`,
    contentType: 'application/apply-patch+yaml',
    body: {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'todo-deploy.dev/state',
      metadata: {
        name: NAME,
        namespace,
        labels: {
          'app.kubernetes.io/managed-by': 'todo-deploy',
          'todo-deploy.dev/application': state.application,
          'todo-deploy.dev/environment': state.environment,
        },
      },
      data: { state: packed },
    },
  })
  if (answer.status >= 300)
    throw new UserError(`The state of ${namespace} can't be written: ${reasonOf(answer)}`)
}
