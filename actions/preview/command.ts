import { type Cluster, openCluster } from '../../src/cluster/cluster.ts'
import {
  type Caller,
  type Command,
  type CommandResult,
  evidenceFolder,
} from '../../src/edge/command.ts'
import { type Recorded, recordPast } from '../../src/edge/refused.ts'
import type { Inputs } from '../../src/edge/inputs.ts'
import { previewEnvironment, readEnvironments } from '../../src/environments/environments.ts'
import { UserError } from '../../src/errors.ts'
import {
  markPreview,
  parseTtl,
  reapPreviews,
  removePreview,
  requirePreviewName,
} from '../../src/preview/preview.ts'
import { pullRelease, readManifests } from '../../src/release/release.ts'
import { deploy } from '../../src/rollout/deploy.ts'
import { readEvidenceTexts } from '../deploy/evidencetexts.ts'
import { reportDeploy, reportRefusedDeploy } from '../deploy/report.ts'
import { previewInputs } from './inputs.ts'
import { reportRemoval } from './report.ts'

type PreviewInputs = Inputs<typeof previewInputs>

export const previewCommand: Command<typeof previewInputs> = {
  name: 'preview',
  inputs: previewInputs,
  run: async (inputs, given, caller) => {
    const { world, past } = recordPast(given)
    try {
      return await runPreview(inputs, { world, past, caller })
    } catch (error) {
      world.signal.throwIfAborted()
      return reportRefusedDeploy(error, past(), 'preview')
    }
  },
}

type Run = Recorded & { readonly caller: Caller }

async function runPreview(inputs: PreviewInputs, run: Run): Promise<CommandResult> {
  const { world } = run
  if (inputs.command === 'reap') {
    const cluster = await openCluster(inputs, world.signal)
    return reportRemoval(await reapPreviews(cluster, world), 'reap')
  }
  requirePreviewName(inputs.name)
  if (inputs.command === 'up') return await bringUp(inputs, run)
  const environments = readEnvironments(await readManifests(inputs.manifests))
  const { namespace } = previewEnvironment(environments, inputs.name)
  const cluster = await openCluster(inputs, world.signal)
  const removed = await world.progress.step(`Remove ${namespace}`, () =>
    removePreview(namespace, cluster, world),
  )
  return reportRemoval(removed ? [namespace] : [], 'down')
}

async function bringUp(
  inputs: PreviewInputs,
  { world, past, caller }: Run,
): Promise<CommandResult> {
  if (inputs.release === '')
    throw new UserError('A preview needs a release: the output of build-images')
  const ttl = parseTtl(inputs.ttl)
  const release = await pullRelease(inputs.release, world.signal)
  const environments = readEnvironments(release.manifests)
  const environment = previewEnvironment(environments, inputs.name)
  const cluster: Cluster = await openCluster(inputs, world.signal)
  const expires = await markPreview({ environment, name: inputs.name, ttl }, cluster, world)
  world.progress.say(`${environment.namespace} may be removed after ${expires}`)
  const folder = evidenceFolder(caller)
  const result = await deploy(
    {
      source: { identity: release.reference, ...release },
      application: environments.application,
      environment,
      mode: 'apply',
      timeoutSeconds: inputs.timeout,
      prune: true,
      onFailure: 'rollback',
      holder: caller.run,
      evidenceFolder: folder,
    },
    cluster,
    world,
  )
  const texts = await readEvidenceTexts(folder, result.failure?.evidence ?? [])
  const reported = reportDeploy(
    result,
    { environment, evidenceFolder: folder, ...past() },
    { about: 'preview', texts },
  )
  return {
    ...reported,
    report: { ...reported.report, kind: 'preview', expires },
    outputs: { url: environment.url, outcome: result.outcome },
  }
}
