import type { Environment } from '../environments/environments.ts'
import { at, textAt } from '../json.ts'
import { readEvidence } from '../release/evidence.ts'
import type { Release } from '../release/release.ts'

/** One condition on the way to the next environment. */
export type Gate = { readonly name: string; readonly open: boolean; readonly why: string }

/** Open where the newest verdict about this release in `environment` is a complete pass: a later failure takes an earlier pass back. */
export async function verdictGate(
  release: Release,
  environment: Environment,
  signal: AbortSignal,
): Promise<Gate> {
  const verdicts = await readEvidence(release, 'verdict', signal)
  return judgeVerdicts(verdicts, environment.name)
}

export function judgeVerdicts(verdicts: readonly unknown[], environment: string): Gate {
  const name = `verified in ${environment}`
  const newest = verdicts.findLast(
    (verdict) => textAt(verdict, 'environment') === environment && counts(verdict),
  )
  if (newest === undefined)
    return {
      name,
      open: false,
      why: `it was never verified in ${environment}; run verify there first`,
    }
  const verdict = textAt(newest, 'verdict') ?? '?'
  const when = textAt(newest, 'at') ?? '?'
  return verdict === 'pass'
    ? { name, open: true, why: `it passed in ${environment} at ${when}` }
    : {
        name,
        open: false,
        why: `its last verdict in ${environment} is "${verdict}" (${when}); mend it and verify again`,
      }
}

/** A look at a part may close the gate, never open it. */
function counts(verdict: unknown): boolean {
  return at(verdict, 'complete') === true || textAt(verdict, 'verdict') !== 'pass'
}
