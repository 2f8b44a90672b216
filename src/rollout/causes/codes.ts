import type { RefusalCode } from '../../cluster/refusals.ts'

/** Codes of what keeps a rollout from becoming ready. They are stable: pipelines act on them. docs/causes.md explains each. */
export const ROLLOUT_CODES = [
  'image-not-found',
  'image-access-denied',
  'image-name-invalid',
  'image-mismatch',
  'registry-unreachable',
  'secret-missing',
  'secret-key-missing',
  'config-map-missing',
  'config-map-key-missing',
  'secret-store-failed',
  'container-cannot-start',
  'crash-loop',
  'out-of-memory',
  'liveness-failed',
  'not-ready',
  'paused',
  'unschedulable',
  'volume-failed',
  'node-not-ready',
  'pod-failed',
  'migration-failed',
  'job-failed',
  'route-rejected',
  'autoscaler-failed',
  'definition-rejected',
  'lease-lost',
  'requests-not-shifted',
  'canary-worse',
] as const

export type CauseCode = (typeof ROLLOUT_CODES)[number] | RefusalCode

/** Why a workload will not become ready, in words to act on. */
export type Cause = {
  readonly code: CauseCode
  /** What happened. */
  readonly text: string
  /** What to do. */
  readonly remedy: string
  /** The object whose events tell more, where that is no pod. */
  readonly subject?: { readonly kind: string; readonly name: string }
  readonly pod?: string
  readonly container?: string
}
