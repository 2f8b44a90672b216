import { openCluster } from '../../src/cluster/cluster.ts'
import {
  type Caller,
  type Command,
  type CommandResult,
  evidenceFolder,
} from '../../src/edge/command.ts'
import { type Recorded, recordPast } from '../../src/edge/refused.ts'
import type { Inputs } from '../../src/edge/inputs.ts'
import { readEnvironments } from '../../src/environments/environments.ts'
import { UserError } from '../../src/errors.ts'
import { promote } from '../../src/promote/promote.ts'
import { readStatus } from '../../src/promote/status.ts'
import { readManifests } from '../../src/release/release.ts'
import { readEvidenceTexts } from '../deploy/evidencetexts.ts'
import { reportRefusedDeploy } from '../deploy/report.ts'
import { promoteInputs } from './inputs.ts'
import { reportPromotion, reportStatus } from './report.ts'

type PromoteInputs = Inputs<typeof promoteInputs>

export const promoteCommand: Command<typeof promoteInputs> = {
  name: 'promote',
  inputs: promoteInputs,
  run: async (inputs, given, caller) => {
    const { world, past } = recordPast(given)
    try {
      return await runPromote(inputs, { world, past, caller })
    } catch (error) {
      world.signal.throwIfAborted()
      return reportRefusedDeploy(error, past(), 'promote')
    }
  },
}

async function runPromote(
  inputs: PromoteInputs,
  { world, past, caller }: Recorded & { readonly caller: Caller },
): Promise<CommandResult> {
  requireRoute(inputs)
  const manifestTree = readEnvironments(await readManifests(inputs.manifests))
  const cluster = await openCluster(inputs, world.signal)
  if (inputs.mode === 'status') return reportStatus(await readStatus(manifestTree, cluster, world))
  const folder = evidenceFolder(caller)
  const promotion = await promote(
    {
      release: inputs.release,
      from: inputs.from,
      to: inputs.to,
      mode: inputs.mode,
      reason: inputs.reason,
      manifestTree,
      timeoutSeconds: inputs.timeout,
      actor: caller.actor,
      holder: caller.run,
      evidenceFolder: folder,
    },
    cluster,
    world,
  )
  const texts = await readEvidenceTexts(folder, promotion.deploy.failure?.evidence ?? [])
  return reportPromotion(promotion, { ...past(), evidenceFolder: folder, texts })
}

function requireRoute({ mode, from, to, reason }: PromoteInputs): void {
  if (mode === 'status') return
  if (from === '' || to === '') throw new UserError('Give from and to, such as dev and staging')
  if (mode === 'rollback' && reason === '')
    throw new UserError('A rollback needs a reason: the record is read when somebody asks why')
}
