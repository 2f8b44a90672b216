import type { Cluster } from '../../cluster/cluster.ts'
import { forbiddenOf } from '../../cluster/permissions.ts'
import { describeRight, lacking } from '../../cluster/rights.ts'
import type { Canary } from '../../environments/strategy.ts'
import { UserError } from '../../errors.ts'
import { planCanary } from './canary.ts'
import { type Ground, oldName } from './ground.ts'
import type { Move } from './moves.ts'
import { routesOf } from './routes.ts'
import { isSet } from './sets.ts'

/** What will be shifted and how, in words. Throws `UserError` where the strategy can't be had; nothing is written. */
export async function foresee(ground: Ground): Promise<readonly string[]> {
  const { moves, strategy } = ground
  const words = moves.map(
    (move) =>
      `${strategy.type}: requests of ${move.workload} go from ${oldName(move)} to ${move.to.metadata.name}`,
  )
  if (strategy.type !== 'canary' || moves.length === 0) return words
  await requireRights(moves, strategy, ground.cluster)
  const routed = await Promise.all(moves.map(async (move) => (await routesOf(move, ground)).length))
  const byPods = moves.filter((move, index) => routed[index] === 0 && isSet(move.to))
  return [...words, ...planCanary(byPods, strategy)]
}

/** Without them every verdict would be inconclusive, half-way through. */
async function requireRights(
  moves: readonly Move[],
  { analysis: { prometheus } }: Canary,
  cluster: Cluster,
): Promise<void> {
  const get = { verb: 'get', group: '' }
  const namespaces = [...new Set(moves.map(({ namespace }) => namespace))]
  const lacks = await forbiddenOf(
    [
      ...namespaces.map((namespace) => ({ ...get, resource: 'pods/proxy', namespace })),
      ...(prometheus === undefined
        ? []
        : [{ ...get, resource: 'services/proxy', namespace: prometheus.namespace }]),
    ],
    cluster,
  )
  if (lacks.length === 0) return
  throw new UserError(
    `This login ${lacking(lacks)}, by which a canary is judged; or choose another strategy`,
    ['nothing was changed', ...lacks.map((right) => `missing: ${describeRight(right)}`)],
    { code: 'rights-missing' },
  )
}
