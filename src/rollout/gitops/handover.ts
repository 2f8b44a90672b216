import { renderObjects } from '../../render/render.ts'
import type { World } from '../../world.ts'
import { faultsOf } from '../preflight/faults.ts'
import { commitRelease, type GitTarget } from './gitops.ts'
import { lintObjects } from '../preflight/lint.ts'
import type { DeployOptions, DeployResult } from '../outcome.ts'
import { makePlan, type Plan } from '../preflight/plan.ts'
import { refuseAll } from '../preflight/refusal.ts'

/**
 * Leaves the deploy to Argo CD or Flux: commits the rendered release where they look for it. No cluster is asked, so what only a
 * cluster knows (rights, admission, Secrets from outside) is not found here. Throws with all problems at once; then nothing was pushed.
 */
export async function handOver(
  options: Pick<DeployOptions, 'source' | 'environment' | 'lint'>,
  target: GitTarget,
  world: World,
): Promise<DeployResult> {
  const { source, environment, lint = 'warn' } = options
  const objects = await world.progress.step('Render the manifests', () =>
    renderObjects(source, environment, world),
  )
  const warnings = lint === 'off' ? [] : lintObjects(objects)
  refuseAll(faultsOf(objects, lint))
  for (const warning of warnings) world.progress.warn(warning)
  const release = { identity: source.identity, environment: environment.name, objects }
  const { commit, files } = await world.progress.step(`Commit to ${target.branch}`, () =>
    commitRelease(release, target, world),
  )
  for (const { name, action } of files) world.progress.say(`${action} ${target.path}/${name}`)
  const rendered = objects.map((object) => ({ object, action: 'unchanged', fields: [] }) as const)
  const { hash } = makePlan(
    { release: source.identity, changes: rendered, remove: [] },
    (text) => text,
  )
  const changes: Plan['changes'] = files.map(({ name, action }) => ({
    ...{ object: `${target.path}/${name}`, action, fields: [], taken: [] },
  }))
  const place = `${target.branch} of ${target.repository}`
  const end: Pick<DeployResult, 'outcome' | 'message'> =
    files.length === 0
      ? { outcome: 'unchanged', message: `${place} has this release already` }
      : {
          outcome: 'committed',
          message: `${source.identity} is commit ${commit.slice(0, 12)} on ${place}`,
        }
  const { identity } = source
  const plan = { hash, changes }
  return { release: identity, planHash: hash, plan, changes: [], warnings, commit, ...end }
}
