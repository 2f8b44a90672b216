import { openRepository, type Repository } from '../../src/registry/client.ts'
import { openSession, type SessionSettings } from '../../src/registry/session.ts'

/** Quick to try again and quick to give up: the rules are those of the product, the times are not. */
const QUICK: SessionSettings = {
  dockerConfig: '/nonexistent',
  patience: { attempts: 5, firstPauseMs: 20, longestPauseMs: 1500, totalMs: 15_000 },
  limits: { answerMs: 5000, commitMs: 20_000, windowMs: 10_000, windowBytes: 4096 },
}

/** For registries that are known to be no good. */
export const HASTY: SessionSettings = {
  patience: { attempts: 2, firstPauseMs: 10 },
  limits: { answerMs: 700, commitMs: 700, windowMs: 700, windowBytes: 4096 },
}

/** A run of its own, as another process or another day would be. */
export type Run = {
  readonly open: (registry: string, repository: string) => Repository
  readonly stop: AbortController
}

export function newRun(settings: SessionSettings = {}): Run {
  const stop = new AbortController()
  const patience = { ...QUICK.patience, ...settings.patience }
  const limits = { ...QUICK.limits, ...settings.limits }
  openSession({ ...QUICK, ...settings, patience, limits }, stop.signal)
  return {
    open: (registry, repository) => openRepository({ registry, repository }, stop.signal),
    stop,
  }
}
