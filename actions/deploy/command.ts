import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openCluster } from '../../src/cluster/cluster.ts'
import type { Command } from '../../src/edge/command.ts'
import type { Inputs } from '../../src/edge/inputs.ts'
import { findEnvironment, readEnvironments } from '../../src/environments/environments.ts'
import { UserError } from '../../src/errors.ts'
import { LOCK_FILE, parseImageSet } from '../../src/release/imageset.ts'
import { pullRelease, readManifests } from '../../src/release/release.ts'
import { deploy } from '../../src/rollout/deploy.ts'
import type { DeploySource } from '../../src/rollout/outcome.ts'
import type { World } from '../../src/world.ts'
import { deployInputs } from './inputs.ts'
import { reportDeploy } from './report.ts'

type DeployInputs = Inputs<typeof deployInputs>

export const deployCommand: Command<typeof deployInputs> = {
  name: 'deploy',
  inputs: deployInputs,
  run: async (inputs, world, caller) => {
    requireOneSource(inputs)
    const source = await world.progress.step('Read the release', () => readSource(inputs, world))
    const environments = readEnvironments(source.manifests)
    const declared = findEnvironment(environments, inputs.environment)
    const environment = { ...declared, namespace: inputs.namespace || declared.namespace }
    const cluster = await openCluster(inputs, world.signal)
    const started = world.clock.now().getTime()
    const result = await deploy(
      {
        source,
        application: environments.application,
        environment,
        mode: inputs.mode,
        timeoutSeconds: inputs.timeout,
        prune: inputs.prune,
        onFailure: inputs['on-failure'],
        holder: caller.run,
      },
      cluster,
      world,
    )
    const seconds = (world.clock.now().getTime() - started) / 1000
    return reportDeploy(result, { environment, seconds })
  },
}

function requireOneSource({ release, path, images }: DeployInputs): void {
  if (release !== '' && (path !== '' || images !== ''))
    throw new UserError('Give either a release, or path and images, not both')
  if (release === '' && path === '')
    throw new UserError('Give a release (registry/repository@sha256:…), or path and images')
}

async function readSource(inputs: DeployInputs, world: World): Promise<DeploySource> {
  if (inputs.release !== '') {
    const release = await pullRelease(inputs.release, world.signal)
    return { identity: release.reference, ...release }
  }
  const lock = inputs.images === '' ? join(inputs.path, '..', LOCK_FILE) : inputs.images
  const text = await readFile(lock, 'utf8').catch((error: unknown) => {
    throw new UserError(`The image lock file ${lock} can't be read; give it as images`, [], {
      cause: error,
    })
  })
  const manifests = await readManifests(inputs.path)
  return { identity: `path:${inputs.path}`, manifests, images: parseImageSet(text, lock) }
}
