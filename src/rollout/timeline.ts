import type { Cluster } from '../cluster/cluster.ts'
import type { NamespaceWatch, Picture } from '../cluster/watch.ts'
import { textAt } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'
import type { Clock, Row } from '../world.ts'
import { type PodTimes, readPulls, type Span, timesOf } from './podtimes.ts'
import { workloadRows } from './readiness/row.ts'

export type { PodTimes, Span } from './podtimes.ts'

/** Which pods requests go to. */
export type Side = 'old' | 'both' | 'new'

/** Requests that began to go elsewhere. */
export type ShiftTime = {
  readonly at: string
  readonly service: string
  readonly what: string
  readonly side: Side
}

export type WaveTimes = {
  readonly name: string
  readonly from: string
  readonly to: string
  readonly isDone: boolean
}

/** One rollout: that of the release, or the way back from it. */
export type Leg = {
  readonly isWayBack: boolean
  readonly from: string
  readonly to: string
  readonly waves: readonly WaveTimes[]
  /** As they were at its end. */
  readonly workloads: readonly Row[]
}

/** What was asked of the pods of one side during a step of a canary. */
export type SideSample = {
  readonly answers: number
  readonly errors: number
  /** Milliseconds. */
  readonly p95: number
  readonly restarts: number
}

/** New pods and those of before, compared while both took requests. */
export type Comparison = {
  readonly at: string
  readonly workload: string
  /** Percent that was asked for, and what the new pods really got. */
  readonly step: number
  readonly share: number
  readonly verdict: 'pass' | 'fail' | 'inconclusive'
  readonly reasons: readonly string[]
  readonly canary: SideSample
  readonly baseline: SideSample
}

export type Timeline = {
  readonly began: string
  readonly ended: string
  readonly pods: readonly PodTimes[]
  readonly shifts: readonly ShiftTime[]
  readonly legs: readonly Leg[]
  readonly comparisons: readonly Comparison[]
}

/** Writes down one rollout while it goes on. */
export type LegRecorder = {
  /** The same watch; every picture of it that somebody looks at is kept note of. */
  follow: (watch: NamespaceWatch) => NamespaceWatch
  wave: <T>(name: string, work: () => Promise<T>) => Promise<T>
  /** What comes between waves, and is left out where there was nothing to do. */
  between: <T>(name: string, work: () => Promise<T>) => Promise<T>
  end: (objects: readonly KubeObject[], picture: Picture) => void
}

/** Collects during a deploy what its timeline shows. */
export type TimelineRecorder = {
  shift: (shift: Omit<ShiftTime, 'at'>) => void
  compare: (comparison: Omit<Comparison, 'at'>) => void
  begin: (isWayBack: boolean) => LegRecorder
  /** Keeps what a picture knows about pods that came or went since the first one; pods that are gone stay known. */
  capture: (picture: Picture) => void
  /** Asks for the events of the pulls and puts everything together. */
  finish: (namespace: string, cluster: Cluster) => Promise<Timeline>
}

/** Shorter was nothing to do. */
const LEAST_MS = 200
/** Clocks that differ by less are taken for one: times of the cluster are cut to seconds, and news takes a moment. */
const SAME_CLOCK_MS = { ahead: -1_000, behind: 5_000 } as const

export function recordTimeline(clock: Clock): TimelineRecorder {
  const now = () => clock.now().toISOString()
  const began = now()
  const shifts: ShiftTime[] = []
  const comparisons: Comparison[] = []
  const legs: Leg[] = []
  const pods = watchPods(clock)
  return {
    shift: (shift) => {
      shifts.push({ at: now(), ...shift })
    },
    compare: (comparison) => {
      comparisons.push({ at: now(), ...comparison })
    },
    begin: (isWayBack) => recordLeg({ isWayBack, now, legs, capture: pods.capture }),
    capture: pods.capture,
    finish: async (namespace, cluster) => {
      const list = await pods.finish(namespace, cluster)
      const own = { began, ended: now(), shifts, legs, comparisons }
      return { ...onClusterClock(own, pods.skew()), pods: list }
    },
  }
}

function recordLeg(of: {
  readonly isWayBack: boolean
  readonly now: () => string
  readonly legs: Leg[]
  readonly capture: (picture: Picture) => void
}): LegRecorder {
  const { isWayBack, now, legs, capture } = of
  const from = now()
  const waves: WaveTimes[] = []
  const timed = async <T>(name: string, work: () => Promise<T>, least: number): Promise<T> => {
    const begun = now()
    let isDone = false
    try {
      const result = await work()
      isDone = true
      return result
    } finally {
      const wave = { name, from: begun, to: now(), isDone }
      if (!isDone || Date.parse(wave.to) - Date.parse(begun) >= least) waves.push(wave)
    }
  }
  return {
    follow: (watch) => ({
      ...watch,
      picture: () => {
        const picture = watch.picture()
        capture(picture)
        return picture
      },
    }),
    wave: (name, work) => timed(name, work, 0),
    between: (name, work) => timed(name, work, LEAST_MS),
    end: (objects, picture) => {
      legs.push({ isWayBack, from, to: now(), waves, workloads: workloadRows(objects, picture) })
    },
  }
}

/** Follows the pods from picture to picture. Those that never change are looked at once. */
function watchPods(clock: Clock) {
  const pods = new Map<string, PodTimes>()
  const looked = new Map<string, unknown>()
  /** Nobody else says when these were gone. */
  const vanished = new Set<string>()
  let before: ReadonlySet<string> | undefined
  let skew: number | undefined
  const began = clock.now().toISOString()
  const meet = (pod: unknown, picture: Picture) => {
    const uid = uidOf(pod)
    const isNew = before?.has(uid) !== true
    const known = pods.get(uid)
    const times = { ...timesOf(pod, picture, known), isNew }
    if (known === undefined && isNew) {
      const late = clock.now().getTime() - Date.parse(times.created)
      if (!Number.isNaN(late)) skew = Math.min(skew ?? late, late)
    }
    pods.set(uid, times)
  }
  return {
    skew: () => skew ?? 0,
    capture: (picture: Picture) => {
      before ??= new Set(picture.Pod.map(uidOf))
      const seen = new Set<string>()
      for (const pod of picture.Pod) {
        const uid = uidOf(pod)
        seen.add(uid)
        if (looked.get(uid) === pod) continue
        looked.set(uid, pod)
        meet(pod, picture)
      }
      for (const uid of looked.keys())
        if (!seen.has(uid)) {
          looked.delete(uid)
          const known = pods.get(uid)
          if (known === undefined || known.gone !== null) continue
          pods.set(uid, { ...known, gone: clock.now().toISOString() })
          vanished.add(uid)
        }
    },
    finish: async (namespace: string, cluster: Cluster): Promise<readonly PodTimes[]> => {
      const shift = correctionOf(skew ?? 0)
      // A Job's pod that had done its work before stays for long, and may go now: that is no news.
      const told = [...pods].filter(
        ([, { isNew, leaving, gone }]) =>
          isNew || (gone === null ? leaving !== null : gone >= shift(began)),
      )
      const pulls =
        told.length === 0 ? new Map<string, Span>() : await readPulls(namespace, cluster)
      return told
        .map(([uid, pod]) => ({
          ...pod,
          pull: pod.isNew ? (pulls.get(pod.pod) ?? null) : null,
          gone: pod.gone !== null && vanished.has(uid) ? shift(pod.gone) : pod.gone,
        }))
        .toSorted((a, b) => a.created.localeCompare(b.created) || a.pod.localeCompare(b.pod))
    },
  }
}

/** Own times as the cluster's clock would say them, where the two clocks differ. */
function onClusterClock(own: Omit<Timeline, 'pods'>, skew: number): Omit<Timeline, 'pods'> {
  const shift = correctionOf(skew)
  return {
    began: shift(own.began),
    ended: shift(own.ended),
    shifts: own.shifts.map((one) => ({ ...one, at: shift(one.at) })),
    comparisons: own.comparisons.map((one) => ({ ...one, at: shift(one.at) })),
    legs: own.legs.map((leg) => ({
      ...leg,
      ...{ from: shift(leg.from), to: shift(leg.to) },
      waves: leg.waves.map((one) => ({ ...one, from: shift(one.from), to: shift(one.to) })),
    })),
  }
}

function correctionOf(skew: number): (time: string) => string {
  const isOne = skew > SAME_CLOCK_MS.ahead && skew < SAME_CLOCK_MS.behind
  return (time) => (isOne ? time : new Date(Date.parse(time) - skew).toISOString())
}

function uidOf(object: unknown): string {
  return textAt(object, 'metadata', 'uid') ?? ''
}
