import { describe, expect, it } from '@jest/globals'
import type { PodTimes } from '../rollout/timeline.ts'
import { ganttOf, isEmpty } from './gantt.ts'

const at = (second: number) => new Date(1_800_000_000_000 + second * 1000).toISOString()
const pod: PodTimes = {
  pod: 'web-1a-x',
  workload: 'web',
  isNew: true,
  created: at(0),
  scheduled: at(1),
  pull: { from: at(1), to: at(4) },
  init: { from: at(4), to: at(6) },
  started: at(7),
  ready: at(9),
  restarts: 0,
  leaving: null,
  gone: null,
}
const times = { began: at(0), ended: at(30), shifts: [], legs: [], comparisons: [] }

describe('the diagram of a timeline', () => {
  it('shows the phases of a pod one after the other', () => {
    expect(
      ganttOf({ ...times, pods: [pod] })
        .split('\n')
        .slice(3),
    ).toEqual([
      '  section web',
      '  1a-x waits for a node :done, 1800000000, 1800000001',
      '  1a-x pulls images :active, 1800000001, 1800000004',
      '  1a-x init :1800000004, 1800000006',
      '  1a-x starts :done, 1800000006, 1800000007',
      '  1a-x gets ready :1800000007, 1800000009',
    ])
  })

  it('marks a pod that was never ready, to the end', () => {
    const text = ganttOf({ ...times, pods: [{ ...pod, ready: null }] })
    expect(text).toContain('1a-x is not ready :crit, 1800000007, 1800000030')
  })

  it('shows where requests went, without what the diagram would take for its own', () => {
    const shifts = [
      { at: at(12), service: 'web', what: 'web-2: 1 of 3 pods; #', side: 'both' as const },
    ]
    const text = ganttOf({ ...times, pods: [], shifts })
    expect(text).toContain(
      '  section requests\n  web to web-2 1 of 3 pods :milestone, 1800000012, 0s',
    )
  })

  it('shows the end of a pod of before, and nothing of its beginning', () => {
    const old = {
      ...pod,
      isNew: false,
      created: at(-900),
      scheduled: at(-899),
      pull: null,
      init: null,
    }
    const text = ganttOf({ ...times, pods: [{ ...old, leaving: at(10), gone: at(18) }] })
    expect(text.split('\n').slice(4)).toEqual(['  1a-x ends :done, 1800000010, 1800000018'])
  })

  it('shows the waves, and the one in which it failed, before the way back', () => {
    const wave = (name: string, from: number, isDone: boolean) => ({
      ...{ name, from: at(from), to: at(from + 3), isDone },
    })
    const leg = { from: at(0), to: at(9), workloads: [] }
    const legs = [
      { ...leg, isWayBack: false, waves: [wave('services', 0, true), wave('workloads', 3, false)] },
      { ...leg, isWayBack: true, waves: [wave('workloads', 6, true)] },
    ]
    expect(
      ganttOf({ ...times, pods: [], legs })
        .split('\n')
        .slice(3),
    ).toEqual([
      '  section rollout',
      '  services :1800000000, 1800000003',
      '  workloads :crit, 1800000003, 1800000006',
      '  section way back',
      '  workloads :1800000006, 1800000009',
    ])
  })

  it('is left out where nothing happened', () => {
    expect(isEmpty({ ...times, pods: [] })).toBe(true)
    expect(isEmpty({ ...times, pods: [pod] })).toBe(false)
  })
})
