import { LabError } from './failure.ts'
import { readJson, writeAtomically } from './files.ts'
import { places } from './places.ts'
import type { Way } from './reach.ts'

export const parts = [
  'engine',
  'registry',
  'builder',
  'render',
  'scan',
  'cluster',
  'workflows',
  'compose',
  'addons',
  'secrets',
  'monitoring',
  'ingress',
  'fakenodes',
] as const
export type Part = (typeof parts)[number]

/** Where everything of a started lab is. */
export interface Lab {
  readonly version: 1
  readonly way: Way
  readonly dockerHost: string
  /** True when the engine was started by the lab, so that stopping the lab stops it too. */
  readonly ownEngine: boolean
  readonly builder: string
  readonly registry: string
  readonly kubeconfig: string
  readonly context: string
  /** The manifest of compiled tools; empty where released ones are used. */
  readonly tools: string
  /** grype's database folder; empty where grype fetches its own. */
  readonly vulnerabilityDatabase: string
  readonly nodeImage: string
  /** What programs need in their environment to use the lab. */
  readonly environment: Readonly<Record<string, string>>
  readonly ready: readonly Part[]
}

/** The lab as it was last started; throws when there is none. */
export function readLab(): Lab {
  const lab = findLab()
  if (lab === undefined) throw new LabError('The lab has not been started: run "npm run lab:up".')
  return lab
}

export function findLab(): Lab | undefined {
  const content = readJson(places.state)
  return isLab(content) ? content : undefined
}

export function writeLab(lab: Lab): void {
  writeAtomically(places.state, `${JSON.stringify(lab, null, 2)}\n`)
}

function isLab(content: unknown): content is Lab {
  return (
    typeof content === 'object' && content !== null && 'version' in content && content.version === 1
  )
}
