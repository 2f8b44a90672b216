import type { Cluster } from '../cluster/cluster.ts'
import type { Environment, VerifyPlan } from '../environments/environments.ts'
import { isTimeout, messageOf } from '../errors.ts'
import type { Release } from '../release/release.ts'
import type { World } from '../world.ts'

/** What a check may look at. */
export type CheckContext = {
  readonly environment: Environment
  readonly release: Release
  readonly plan: VerifyPlan
  readonly cluster: Cluster
  readonly world: World
}

/** One thing that is so, or not, or could not be found out; with what was seen. */
export type Finding = {
  readonly name: string
  readonly status: 'pass' | 'fail' | 'inconclusive'
  /** What was seen, in one line. */
  readonly detail: string
}

export type CheckResult = Finding & { readonly check: string; readonly seconds: number }

/** A check looks and reports; it never throws for what it looks at. */
export type Check = {
  readonly name: string
  readonly look: (context: CheckContext) => Promise<readonly Finding[]>
}

/** Runs one check. What it could not find out is `inconclusive`, never a pass. */
export async function runCheck(
  check: Check,
  context: CheckContext,
): Promise<readonly CheckResult[]> {
  const { clock } = context.world
  const started = clock.now().getTime()
  const seconds = () => (clock.now().getTime() - started) / 1000
  try {
    const findings = await check.look(context)
    return findings.map((finding) => ({ ...finding, check: check.name, seconds: seconds() }))
  } catch (error) {
    const { signal } = context.world
    if (signal.aborted && !isTimeout(signal.reason)) throw error
    const detail = signal.aborted ? 'the time given to verify was over' : messageOf(error)
    return [
      { check: check.name, name: check.name, status: 'inconclusive', detail, seconds: seconds() },
    ]
  }
}

export const pass = (name: string, detail: string): Finding => ({ name, status: 'pass', detail })
export const fail = (name: string, detail: string): Finding => ({ name, status: 'fail', detail })

/** The path to a Service's port through the API server: works wherever the kubeconfig works. */
export function serviceProxy(
  namespace: string,
  target: { readonly service: string; readonly port: number; readonly path: string },
): string {
  return `/api/v1/namespaces/${namespace}/services/${target.service}:${target.port}/proxy${target.path}`
}
