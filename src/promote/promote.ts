import type { Cluster } from '../cluster/cluster.ts'
import { readState } from '../cluster/state.ts'
import {
  type Environment,
  type Environments,
  findEnvironment,
  readEnvironments,
} from '../environments/environments.ts'
import { UserError } from '../errors.ts'
import { textAt } from '../json.ts'
import { addEvidence, readEvidence } from '../release/evidence.ts'
import { pullRelease, type Release } from '../release/release.ts'
import { deploy } from '../rollout/deploy.ts'
import type { DeployOptions, DeployResult } from '../rollout/outcome.ts'
import type { World } from '../world.ts'
import { type Gate, verdictGate } from './gates.ts'

export type PromoteOptions = Pick<DeployOptions, 'timeoutSeconds' | 'holder' | 'evidenceFolder'> & {
  /** Release reference, or empty: what runs in `from` now. */
  readonly release: string
  readonly from: string
  readonly to: string
  readonly mode: 'plan' | 'apply' | 'rollback'
  readonly reason: string
  readonly manifestTree: Environments
  readonly actor: string
}

/** Who moved what where, why, past which gates, and how it ended. */
export type PromotionRecord = {
  readonly version: 1
  readonly release: string
  readonly from: string
  readonly to: string
  readonly images: Readonly<Record<string, string>>
  readonly gates: readonly Gate[]
  readonly actor: string
  readonly reason: string
  readonly planHash: string
  readonly outcome: DeployResult['outcome']
  /** The release that was there before, or empty. */
  readonly before: string
  /** ISO 8601, UTC. */
  readonly at: string
}

export type Promotion = {
  readonly record: PromotionRecord
  /** Digest of the stored record; empty where nothing was written. */
  readonly recordDigest: string
  readonly deploy: DeployResult
  readonly environment: Environment
}

/** Moves a release to the next environment: same digests, only past every gate. Refusals throw before anything is written. */
export async function promote(
  options: PromoteOptions,
  cluster: Cluster,
  world: World,
): Promise<Promotion> {
  const from = findEnvironment(options.manifestTree, options.from)
  const to = findEnvironment(options.manifestTree, options.to)
  if (to.after !== from.name)
    throw new UserError(
      `${to.name} comes after ${to.after ?? 'no other environment'}, not after ${from.name}`,
    )
  const current = await readState(to.namespace, cluster)
  const before = current?.good?.release ?? ''
  const wanted =
    options.mode === 'rollback'
      ? await earlierRelease(to, before, world)
      : options.release || (await runningIn(from, cluster))
  const release = await world.progress.step('Read the release', () =>
    pullRelease(wanted, world.signal),
  )
  const gates = await world.progress.step('Ask the gates', () =>
    askGates(release, { from, rollback: options.mode === 'rollback' }, world),
  )
  const result = await deploy(
    {
      source: { identity: release.reference, manifests: release.manifests, images: release.images },
      application: options.manifestTree.application,
      environment: findEnvironment(readEnvironments(release.manifests), to.name),
      mode: options.mode === 'plan' ? 'plan' : 'apply',
      timeoutSeconds: options.timeoutSeconds,
      prune: true,
      onFailure: 'rollback',
      holder: options.holder,
      evidenceFolder: options.evidenceFolder,
    },
    cluster,
    world,
  )
  const record = makeRecord({ options, release, gates, result, before }, world)
  const written = result.outcome !== 'planned' && result.outcome !== 'unchanged'
  const recordDigest = written
    ? await addEvidence(release, 'promotion', {
        predicate: record,
        at: record.at,
        signal: world.signal,
      })
    : ''
  return { record, recordDigest, deploy: result, environment: to }
}

function makeRecord(
  made: {
    readonly options: PromoteOptions
    readonly release: Release
    readonly gates: readonly Gate[]
    readonly result: DeployResult
    readonly before: string
  },
  world: World,
): PromotionRecord {
  const { options, release, gates, result, before } = made
  return {
    version: 1,
    release: release.reference,
    from: options.from,
    to: options.to,
    images: Object.fromEntries(
      Object.entries(release.images.images).map(([name, image]) => [name, image.reference]),
    ),
    gates,
    actor: options.actor,
    reason: options.reason,
    planHash: result.planHash,
    outcome: result.outcome,
    before,
    at: world.clock.now().toISOString(),
  }
}

async function runningIn(environment: Environment, cluster: Cluster): Promise<string> {
  const state = await readState(environment.namespace, cluster)
  if (state?.good !== undefined) return state.good.release
  throw new UserError(
    `Nothing is deployed in ${environment.name} yet: deploy and verify a release there first`,
  )
}

async function askGates(
  release: Release,
  how: { readonly from: Environment; readonly rollback: boolean },
  world: World,
): Promise<readonly Gate[]> {
  // The way back leads to what was promoted before: it was verified then, and must not wait for a new look.
  const gates = how.rollback ? [] : [await verdictGate(release, how.from, world.signal)]
  for (const gate of gates) world.progress.say(`${gate.open ? '✓' : '✗'} ${gate.name}: ${gate.why}`)
  const closed = gates.filter((gate) => !gate.open)
  if (closed.length === 0) return gates
  throw new UserError(
    `${release.reference} may not go on: ${closed.map((gate) => gate.why).join('; ')}`,
  )
}

/** The release that the last promotion to this environment replaced. */
async function earlierRelease(
  environment: Environment,
  current: string,
  world: World,
): Promise<string> {
  const nothing = new UserError(`${environment.name} has no earlier release to go back to`)
  if (current === '') throw nothing
  const records = await readEvidence(
    await pullRelease(current, world.signal),
    'promotion',
    world.signal,
  )
  const last = records.findLast(
    (record) =>
      textAt(record, 'to') === environment.name && (textAt(record, 'before') ?? '') !== '',
  )
  const before = textAt(last, 'before') ?? ''
  if (before === '' || before === current) throw nothing
  return before
}
