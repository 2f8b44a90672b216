import type { Cluster } from '../cluster/cluster.ts'
import type { EnvironmentState } from '../cluster/state.ts'
import { UserError } from '../errors.ts'
import { listAt, textAt } from '../json.ts'
import { type KubeObject, nameOf } from '../render/manifest.ts'
import { phaseOf } from '../render/migration.ts'
import { jobCode } from './readiness/readiness.ts'

/** A Job may also say so itself, a line for each migration that it has really applied; those of `migrate` do. */
const APPLIED = /applied (\S+) \(contract\)/g

/**
 * What the migration Jobs among these have taken away from the database, by the names of the migrations. A release of before that can't
 * come back. Where a Job can't be looked at, its annotation decides.
 */
export async function contractsOf(
  objects: readonly KubeObject[],
  cluster: Cluster,
): Promise<readonly string[]> {
  const found: string[] = []
  for (const job of objects.filter(({ kind }) => kind === 'Job').filter(isMigration)) {
    const { name, namespace = '' } = job.metadata
    const live = await cluster.call({
      method: 'GET',
      path: `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`,
    })
    if (live.status === 404) continue
    const isMarked = phaseOf(job) === 'contract'
    // Before its first pod has started nothing can have happened.
    if (isMarked && textAt(live.body, 'status', 'startTime') !== undefined) found.push(nameOf(job))
    found.push(...(await saidBy(job, cluster)))
  }
  return [...new Set(found)]
}

async function saidBy(job: KubeObject, cluster: Cluster): Promise<readonly string[]> {
  const { name, namespace = '' } = job.metadata
  const folder = `/api/v1/namespaces/${namespace}/pods`
  const selector = encodeURIComponent(`batch.kubernetes.io/job-name=${name}`)
  const pods = await cluster.call({ method: 'GET', path: `${folder}?labelSelector=${selector}` })
  const said: string[] = []
  for (const pod of listAt(pods.body, 'items')) {
    const path = `${folder}/${textAt(pod, 'metadata', 'name') ?? ''}/log?tailLines=2000`
    const log = await cluster.call({ method: 'GET', path })
    if (log.status !== 200) continue
    said.push(...[...log.text.matchAll(APPLIED)].map(([, migration = '']) => migration))
  }
  return said
}

function isMigration(job: KubeObject): boolean {
  return phaseOf(job) !== undefined || jobCode(job) === 'migration-failed'
}

/** The state after contract migrations: no release that was good before them may come back. */
export function withContracts(
  state: EnvironmentState,
  contracts: readonly string[],
): EnvironmentState {
  if (contracts.length === 0) return state
  const releases = [
    ...(state.history ?? []),
    ...(state.good === undefined ? [] : [state.good.release]),
  ]
  return { ...state, outdated: { releases: [...new Set(releases)], by: contracts } }
}

/** Enough to know what came before a contract; a release that is older than so many is not gone back to. */
const HISTORY = 50

/** The state with this release among those that were good. */
export function withHistory(state: EnvironmentState, release: string): EnvironmentState {
  const others = (state.history ?? []).filter((one) => one !== release)
  return { ...state, history: [...others, release].slice(-HISTORY) }
}

/** Throws where a release is asked for that the database has left behind. */
export function requireDatabase(state: EnvironmentState | undefined, release: string): void {
  if (state?.outdated?.releases.includes(release) !== true) return
  throw new UserError(
    `${release} can't come back: ${state.outdated.by.join(', ')} took something away that it still uses. Deploy a newer release`,
    [],
    { code: 'database-ahead' },
  )
}
