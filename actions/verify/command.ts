import { type Cluster, openCluster } from '../../src/cluster/cluster.ts'
import { readState } from '../../src/cluster/state.ts'
import type { Caller, Command } from '../../src/edge/command.ts'
import { recordPast, refusedResult } from '../../src/edge/refused.ts'
import type { Inputs } from '../../src/edge/inputs.ts'
import {
  type Environment,
  findEnvironment,
  readEnvironments,
} from '../../src/environments/environments.ts'
import { UserError } from '../../src/errors.ts'
import { addEvidence } from '../../src/release/evidence.ts'
import { pullRelease, readManifests, type Release } from '../../src/release/release.ts'
import { deploy } from '../../src/rollout/deploy.ts'
import { ensureKindCluster } from '../../src/verify/kindcluster.ts'
import { type Verdict, verify } from '../../src/verify/verify.ts'
import type { World } from '../../src/world.ts'
import { verifyInputs } from './inputs.ts'
import { reportVerdict } from './report.ts'

type VerifyInputs = Inputs<typeof verifyInputs>

export const verifyCommand: Command<typeof verifyInputs> = {
  name: 'verify',
  inputs: verifyInputs,
  run: async (inputs, given, caller) => {
    const { world, past } = recordPast(given)
    try {
      const verdict = await runVerify(inputs, caller, world)
      return reportVerdict(verdict, past().steps)
    } catch (error) {
      world.signal.throwIfAborted()
      return refusedResult(error, { about: 'verify', consequence: NO_VERDICT }, past())
    }
  },
}

const NO_VERDICT = 'There is no verdict: nothing can be said about this release.'

async function runVerify(inputs: VerifyInputs, caller: Caller, world: World): Promise<Verdict> {
  const late = AbortSignal.timeout(inputs.timeout * 1000)
  const bounded = { ...world, signal: AbortSignal.any([world.signal, late]) }
  const inKind = inputs.target === 'kind'
  const context = inKind ? await ensureKindCluster(inputs.kubeconfig, bounded) : inputs.context
  const { kubeconfig } = inputs
  const cluster = await openCluster({ kubeconfig, context }, bounded.signal)
  const release = await findRelease(inputs, cluster, bounded)
  const environments = readEnvironments(release.manifests)
  const environment = findEnvironment(environments, inputs.environment)
  if (inKind) {
    const { application } = environments
    await deployFirst({ release, application, environment }, { inputs, caller, cluster }, bounded)
  }
  const { profile, checks } = inputs
  const place = inKind ? 'kind' : environment.name
  const look = { environment, release, profile, checks, place }
  const verdict = await verify(look, cluster, bounded)
  const { at } = verdict
  await addEvidence(release, 'verdict', { predicate: verdict, at, signal: world.signal })
  return verdict
}

/** The release that was named, or the one that runs in the environment now. */
async function findRelease(inputs: VerifyInputs, cluster: Cluster, world: World): Promise<Release> {
  if (inputs.release !== '') return await pullRelease(inputs.release, world.signal)
  const environments = readEnvironments(await readManifests(inputs.path))
  const { namespace } = findEnvironment(environments, inputs.environment)
  const good = (await readState(namespace, cluster))?.good
  if (good === undefined)
    throw new UserError(
      `Nothing is deployed in ${inputs.environment}; deploy first, or name a release`,
    )
  return await pullRelease(good.release, world.signal)
}

/** Brings the release to the kind cluster; what does not become ready there needs no further look. */
async function deployFirst(
  what: {
    readonly release: Release
    readonly application: string
    readonly environment: Environment
  },
  how: { readonly inputs: VerifyInputs; readonly caller: Caller; readonly cluster: Cluster },
  world: World,
): Promise<void> {
  const { release, application, environment } = what
  const { outcome, message, failure } = await deploy(
    {
      source: { identity: release.reference, ...release },
      application,
      environment,
      mode: 'apply',
      timeoutSeconds: how.inputs.timeout,
      prune: true,
      onFailure: 'keep',
      holder: how.caller.run,
    },
    how.cluster,
    world,
  )
  if (outcome !== 'deployed' && outcome !== 'unchanged')
    throw new UserError(message, failure?.details ?? [])
}
