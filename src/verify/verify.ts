import type { Cluster } from '../cluster/cluster.ts'
import { type Environment, readEnvironments } from '../environments/environments.ts'
import { UserError } from '../errors.ts'
import type { Release } from '../release/release.ts'
import type { World } from '../world.ts'
import { type Check, type CheckResult, runCheck } from './check.ts'
import { databaseCheck } from './database.ts'
import { dnsCheck } from './dns.ts'
import { httpCheck } from './http.ts'
import { imageIdentityCheck } from './imageidentity.ts'
import { mcpCheck } from './mcp.ts'

/** What was found out about a release in an environment; bound to the release's digest. */
export type Verdict = {
  readonly version: 1
  readonly release: string
  readonly environment: string
  readonly namespace: string
  readonly profile: string
  /** Whether every check was asked for; a part of them opens no gate. */
  readonly complete: boolean
  readonly verdict: 'pass' | 'fail' | 'inconclusive'
  readonly checks: readonly CheckResult[]
  /** ISO 8601, UTC. */
  readonly at: string
  readonly seconds: number
}

export const CHECKS: readonly Check[] = [
  httpCheck,
  mcpCheck,
  databaseCheck,
  dnsCheck,
  imageIdentityCheck,
]

/** Looks at a deployed release from every side. One failed check fails it; one that is inconclusive is not a pass. */
export async function verify(
  options: {
    readonly environment: Environment
    readonly release: Release
    readonly profile: string
    /** What the verdict speaks of: the environment's name, or `kind` for a throw-away cluster. */
    readonly place: string
    /** Names of checks; empty: all. */
    readonly checks: readonly string[]
  },
  cluster: Cluster,
  world: World,
): Promise<Verdict> {
  const { environment, release, profile } = options
  const chosen = chooseChecks(options.checks)
  const plan = readEnvironments(release.manifests).verify
  const context = { environment, release, plan, cluster, world }
  const started = world.clock.now()
  const checks = await world.progress.step(`Verify ${environment.name}`, async () => {
    const results: CheckResult[] = []
    await Promise.all(
      chosen.map(async (check) => {
        const found = await runCheck(check, context)
        results.push(...found)
        for (const { status, name, detail } of found)
          world.progress.say(`${marks[status]} ${check.name}: ${name}: ${detail}`)
      }),
    )
    return results.sort((a, b) => order(a) - order(b))
  })
  if (checks.length === 0)
    throw new UserError('There is nothing to verify: environments.yaml has no "verify" section')
  return {
    version: 1,
    release: release.reference,
    environment: options.place,
    namespace: environment.namespace,
    profile,
    complete: chosen.length === CHECKS.length,
    verdict: judge(checks),
    checks,
    at: started.toISOString(),
    seconds: (world.clock.now().getTime() - started.getTime()) / 1000,
  }
}

const marks = { pass: '✓', fail: '✗', inconclusive: '?' } as const

function chooseChecks(names: readonly string[]): readonly Check[] {
  const unknown = names.filter((name) => !CHECKS.some((check) => check.name === name))
  if (unknown.length > 0)
    throw new UserError(
      `There is no check "${unknown.join('", "')}"; there are ${CHECKS.map(({ name }) => name).join(', ')}`,
    )
  return names.length === 0 ? CHECKS : CHECKS.filter((check) => names.includes(check.name))
}

function judge(checks: readonly CheckResult[]): Verdict['verdict'] {
  if (checks.some(({ status }) => status === 'fail')) return 'fail'
  return checks.some(({ status }) => status === 'inconclusive') ? 'inconclusive' : 'pass'
}

function order(result: CheckResult): number {
  return CHECKS.findIndex(({ name }) => name === result.check)
}
