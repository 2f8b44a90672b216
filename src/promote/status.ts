import type { Cluster } from '../cluster/cluster.ts'
import { readState } from '../cluster/state.ts'
import type { Environments } from '../environments/environments.ts'
import { textAt } from '../json.ts'
import { readEvidence } from '../release/evidence.ts'
import { pullRelease } from '../release/release.ts'
import type { World } from '../world.ts'

/** What runs in one environment, and what is known about it. */
export type EnvironmentStatus = {
  readonly name: string
  readonly namespace: string
  readonly release: string
  readonly since: string
  readonly verdict: string
  readonly url: string
  /** The release of a deploy that has not ended: it runs now, was killed, or its canary waits for people; else empty. */
  readonly underway: string
}

/** What runs where, in the order of promotion. */
export async function readStatus(
  environments: Environments,
  cluster: Cluster,
  world: World,
): Promise<readonly EnvironmentStatus[]> {
  const stages = environments.list.filter((environment) => !environment.preview)
  return await Promise.all(
    stages.map(async ({ name, namespace, url }) => {
      const { good, pending } = (await readState(namespace, cluster)) ?? {}
      const release = good?.release ?? ''
      const verdict = release === '' ? '' : await newestVerdict(release, name, world)
      const underway = pending?.release ?? ''
      return { name, namespace, url, release, since: good?.at ?? '', verdict, underway }
    }),
  )
}

async function newestVerdict(
  reference: string,
  environment: string,
  world: World,
): Promise<string> {
  const release = await pullRelease(reference, world.signal)
  const verdicts = await readEvidence(release, 'verdict', world.signal)
  const newest = verdicts.findLast((verdict) => textAt(verdict, 'environment') === environment)
  return textAt(newest, 'verdict') ?? 'none'
}
