import { counted } from '../../counted.ts'
import { at, listAt, numberAt, textAt } from '../../json.ts'
import { eventsAbout, uidOf } from '../readiness/live.ts'
import type { Finding, PodContext } from './context.ts'

/** A first start may lose a race with what it depends on; so many restarts are no race any more. */
const RESTART_BUDGET = 2
/** On a workload: how many restarts it may take. With it, only the count decides. */
export const BUDGET = 'todo-deploy.dev/restart-budget'

/**
 * A container that ends again and again. Three ends are always too many. Two are, where the same thing happened twice, nothing else of the
 * release is still starting that it could have waited for, and no pod beside it runs: then a third try is only a wait of 10 seconds.
 */
export function crashCause(status: unknown, context: PodContext): Finding | undefined {
  const ended = endOf(status)
  // It runs now: restarts of long ago say nothing about this rollout, and if it ends again that is seen then.
  if (ended === undefined || at(status, 'ready') === true) return undefined
  const { pod, sightings } = context
  const what = `${uidOf(pod)}/${textAt(status, 'name') ?? ''}`
  const restarts = numberAt(status, 'restartCount') ?? 0
  const ends = restarts + 1
  const kind = `${textAt(ended, 'reason') ?? ''} ${numberAt(ended, 'exitCode') ?? 0}`
  const before = sightings.first(`end ${ends - 1} of ${what}`, kind)
  sightings.first(`end ${ends} of ${what}`, kind)
  // What counts is whether it was alone when it ended, and not whether it is now.
  const wasAlone = sightings.first(`alone at end ${ends} of ${what}`, context.isAlone)
  const wanted = Number(textAt(pod, 'metadata', 'annotations', BUDGET) ?? NaN)
  const isOver = Number.isInteger(wanted)
    ? restarts >= wanted
    : isTooMuch(restarts, before === kind && wasAlone, context)
  return isOver ? explain(status, ended, context) : undefined
}

function isTooMuch(restarts: number, isProof: boolean, context: PodContext): boolean {
  if (restarts >= RESTART_BUDGET || context.isLast === true) return true
  return restarts === 1 && isProof && !context.siblings.some(isRunningWell)
}

/** How the last run ended, where it is over. To end well again and again is no better: a server is to stay. */
function endOf(status: unknown): unknown {
  if (at(status, 'state', 'running') !== undefined) return undefined
  const now = at(status, 'state', 'terminated')
  // Terminated and about to be started again, or an init container that is done.
  if (now !== undefined) return numberAt(now, 'exitCode') === 0 ? undefined : now
  const waits = textAt(status, 'state', 'waiting', 'reason') ?? 'CrashLoopBackOff'
  return waits === 'CrashLoopBackOff' ? at(status, 'lastState', 'terminated') : undefined
}

function explain(status: unknown, ended: unknown, context: PodContext): Finding {
  const code = numberAt(ended, 'exitCode') ?? 0
  const restarts = numberAt(status, 'restartCount') ?? 0
  if (textAt(ended, 'reason') === 'OOMKilled')
    return {
      code: 'out-of-memory',
      text: 'its container is ended for using more memory than its limit',
      remedy: 'raise the limit or use less',
    }
  const probe = livenessOf(status, context)
  if (probe !== undefined)
    return {
      code: 'liveness-failed',
      text: `its container is restarted because its liveness probe fails: ${probe}`,
      remedy: 'mend what the probe asks, or give a slow start a startupProbe',
    }
  const message = textAt(ended, 'message') ?? ''
  if (textAt(ended, 'reason') === 'StartError' || textAt(ended, 'reason') === 'ContainerCannotRun')
    return {
      code: 'container-cannot-start',
      text: `its container can't be started: ${message.trim()}`,
      remedy: 'correct its command, or its image',
    }
  const times = counted(restarts, 'restart')
  return {
    code: 'crash-loop',
    text: `its container exits with status ${code} (${times})`,
    remedy: 'its last words are below',
  }
}

/** What its liveness probe said, if the kubelet ended it for that. */
function livenessOf(status: unknown, { pod, picture }: PodContext): string | undefined {
  const name = textAt(status, 'name') ?? ''
  const ofContainer = eventsAbout(pod, picture).filter((event) =>
    (textAt(event, 'involvedObject', 'fieldPath') ?? '').includes(`{${name}}`),
  )
  const killed = ofContainer.some((event) =>
    /failed (liveness|startup) probe/.test(textAt(event, 'message') ?? ''),
  )
  if (!killed) return undefined
  const said = ofContainer.findLast((event) =>
    /^(Liveness|Startup) probe failed/.test(textAt(event, 'message') ?? ''),
  )
  return (textAt(said, 'message') ?? '').replace(/^\w+ probe failed: /, '').trim()
}

function isRunningWell(pod: unknown): boolean {
  const statuses = listAt(pod, 'status', 'containerStatuses')
  return (
    statuses.length > 0 &&
    statuses.every(
      (status) => at(status, 'ready') === true && numberAt(status, 'restartCount') === 0,
    )
  )
}
