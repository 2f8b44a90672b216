import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openCluster } from '../../src/cluster/cluster.ts'
import {
  type Caller,
  type Command,
  type CommandResult,
  evidenceFolder,
} from '../../src/edge/command.ts'
import { type Recorded, recordPast } from '../../src/edge/refused.ts'
import type { Inputs } from '../../src/edge/inputs.ts'
import {
  type Environment,
  findEnvironment,
  readEnvironments,
} from '../../src/environments/environments.ts'
import { overrideStrategy } from '../../src/environments/strategy.ts'
import { UserError } from '../../src/errors.ts'
import { LOCK_FILE, parseImageSet } from '../../src/release/imageset.ts'
import { pullRelease, readManifests } from '../../src/release/release.ts'
import { deploy } from '../../src/rollout/deploy.ts'
import type { GitTarget } from '../../src/rollout/gitops/gitops.ts'
import { handOver } from '../../src/rollout/gitops/handover.ts'
import type { DeploySource } from '../../src/rollout/outcome.ts'
import type { World } from '../../src/world.ts'
import { deployInputs } from './inputs.ts'
import { readEvidenceTexts } from './evidencetexts.ts'
import { reportDeploy, reportRefusedDeploy } from './report.ts'

type DeployInputs = Inputs<typeof deployInputs>

export const deployCommand: Command<typeof deployInputs> = {
  name: 'deploy',
  inputs: deployInputs,
  run: async (inputs, given, caller) => {
    const { world, past } = recordPast(given)
    try {
      return await runDeploy(inputs, { world, past, caller })
    } catch (error) {
      world.signal.throwIfAborted()
      return reportRefusedDeploy(error, past())
    }
  },
}

async function runDeploy(
  inputs: DeployInputs,
  { world, past, caller }: Recorded & { readonly caller: Caller },
): Promise<CommandResult> {
  requireOneSource(inputs)
  // Both are far away: the cluster is asked who it is while the release comes.
  const opening = inputs.mode === 'gitops' ? undefined : openCluster(inputs, world.signal)
  // Whoever waits for it is told; until then nobody has to be.
  opening?.catch(() => undefined)
  const source = await world.progress.step('Read the release', () => readSource(inputs, world))
  const environments = readEnvironments(source.manifests)
  const declared = findEnvironment(environments, inputs.environment)
  const environment = chosen(declared, inputs)
  if (opening === undefined || inputs.mode === 'gitops') {
    const target = gitTarget(inputs, caller)
    const result = await handOver({ source, environment, lint: inputs.lint }, target, world)
    return reportDeploy(result, { environment, ...past() })
  }
  const cluster = await opening
  const folder = evidenceFolder(caller)
  const result = await deploy(
    {
      source,
      application: environments.application,
      environment,
      mode: inputs.mode,
      planHash: inputs['plan-hash'],
      lint: inputs.lint,
      forceConflicts: inputs['force-conflicts'],
      timeoutSeconds: inputs.timeout,
      prune: inputs.prune,
      onFailure: inputs['on-failure'],
      holder: caller.run,
      concurrent: inputs.concurrent,
      settleSeconds: inputs.settle,
      evidenceFolder: folder,
    },
    cluster,
    world,
  )
  const texts = await readEvidenceTexts(folder, result.failure?.evidence ?? [])
  return reportDeploy(result, { environment, evidenceFolder: folder, ...past() }, { texts })
}

/** The environment as declared, with what the inputs choose otherwise. */
function chosen(declared: Environment, inputs: DeployInputs): Environment {
  const { namespace, chart, values } = inputs
  if (values.length > 0 && chart === '' && declared.chart === undefined)
    throw new UserError('values belong to a chart: give its folder as chart')
  const path = chart === '' ? declared.chart?.path : chart
  const files = values.length > 0 || chart !== '' ? values : (declared.chart?.values ?? [])
  return {
    ...declared,
    namespace: namespace || declared.namespace,
    strategy: overrideStrategy(declared.strategy, {
      type: inputs.strategy,
      bakeTime: inputs['bake-time'],
    }),
    ...(path === undefined ? {} : { chart: { path: path.replace(/\/+$/, ''), values: files } }),
  }
}

function gitTarget(inputs: DeployInputs, { gitToken }: Caller): GitTarget {
  const repository = inputs['gitops-repository']
  const path = inputs['gitops-path'].replace(/\/+$/, '')
  if (repository === '' || path === '')
    throw new UserError('mode: gitops needs gitops-repository and gitops-path')
  return {
    ...{ repository, branch: inputs['gitops-branch'], path },
    ...{ token: gitToken, withSecrets: inputs['gitops-secrets'] },
  }
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
