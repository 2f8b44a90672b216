import type { PodTimes, Timeline } from '../rollout/timeline.ts'

/** What a pod went through, in this order; `unready` instead of `probe` where it did not come to an end. */
export type PhaseName = 'node' | 'pull' | 'init' | 'start' | 'probe' | 'unready' | 'serve' | 'leave'

/** Milliseconds since the epoch. */
export type Phase = { readonly name: PhaseName; readonly from: number; readonly to: number }

/** As a person would say it of a pod. */
export const PHASE_WORDS: Readonly<Record<PhaseName, string>> = {
  node: 'waits for a node',
  pull: 'pulls images',
  init: 'init',
  start: 'starts',
  probe: 'gets ready',
  unready: 'is not ready',
  serve: 'ready',
  leave: 'ends',
}

/** More rows than this are no picture any more. */
export const SHOWN_PODS = 40

/** The phases of a pod, each from where the one before has ended. Those that took no time are left out. */
export function phasesOf(pod: PodTimes, { ended }: Pick<Timeline, 'ended'>): readonly Phase[] {
  const { scheduled, pull, init, started, ready, leaving, gone } = pod
  const [last = ended] = [leaving, gone].filter((time) => time !== null).toSorted()
  const begun = init?.to ?? pull?.to ?? scheduled
  const found: readonly (readonly [PhaseName, string | null, string])[] = [
    ['node', pod.isNew ? pod.created : null, scheduled ?? last],
    ['pull', pull?.from ?? null, pull?.to ?? last],
    ['init', init?.from ?? null, init?.to ?? last],
    ['start', pod.isNew ? begun : null, started ?? last],
    [ready === null ? 'unready' : 'probe', pod.isNew ? started : null, ready ?? last],
    ['serve', ready, last],
    ['leave', leaving ?? gone, gone ?? ended],
  ]
  return found.flatMap(([name, from, to]) => {
    if (from === null) return []
    const span = { name, from: Date.parse(from), to: Date.parse(to) }
    return span.to > span.from ? [span] : []
  })
}

/** The pods that are shown, by workload, and how many are not. */
export function podsByWorkload({ pods }: Pick<Timeline, 'pods'>): {
  readonly groups: readonly (readonly [string, readonly PodTimes[]])[]
  readonly left: number
} {
  const shown = pods.slice(0, SHOWN_PODS)
  const names = [...new Set(shown.map(({ workload }) => workload))].toSorted()
  return {
    groups: names.map((name) => [name, shown.filter(({ workload }) => workload === name)]),
    left: pods.length - shown.length,
  }
}

/** The name of a pod without that of its workload. */
export function shortName({ pod, workload }: PodTimes): string {
  return pod.startsWith(`${workload}-`) ? pod.slice(workload.length + 1) : pod
}

/** Which rollout a wave is of, where there are two. */
export function legWords({ isWayBack }: { readonly isWayBack: boolean }): string {
  return isWayBack ? 'way back' : 'rollout'
}
