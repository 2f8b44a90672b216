import { type Cluster, openCluster } from '../../src/cluster/cluster.ts'
import { readState } from '../../src/cluster/state.ts'
import type { Command } from '../../src/edge/command.ts'
import type { Inputs } from '../../src/edge/inputs.ts'
import { findEnvironment, readEnvironments } from '../../src/environments/environments.ts'
import { UserError } from '../../src/errors.ts'
import { addEvidence } from '../../src/release/evidence.ts'
import { pullRelease, readManifests, type Release } from '../../src/release/release.ts'
import { verify } from '../../src/verify/verify.ts'
import type { World } from '../../src/world.ts'
import { verifyInputs } from './inputs.ts'
import { reportVerdict } from './report.ts'

type VerifyInputs = Inputs<typeof verifyInputs>

export const verifyCommand: Command<typeof verifyInputs> = {
  name: 'verify',
  inputs: verifyInputs,
  run: async (inputs, world) => {
    const bounded = limitTime(world, inputs.timeout)
    const cluster = await openCluster(inputs, bounded.signal)
    const release = await findRelease(inputs, cluster, bounded)
    const environment = findEnvironment(readEnvironments(release.manifests), inputs.environment)
    const { profile, checks } = inputs
    const verdict = await verify({ environment, release, profile, checks }, cluster, bounded)
    const { at } = verdict
    await addEvidence(release, 'verdict', { predicate: verdict, at, signal: world.signal })
    return reportVerdict(verdict)
  },
}

function limitTime(world: World, seconds: number): World {
  const late = AbortSignal.timeout(seconds * 1000)
  return { ...world, signal: AbortSignal.any([world.signal, late]) }
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
