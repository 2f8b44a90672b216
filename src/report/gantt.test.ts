import { describe, expect, it } from '@jest/globals'
import type { PodTimes } from '../rollout/timeline.ts'
import { ganttOf, isEmpty } from './gantt.ts'

const at = (second: number) => new Date(1_800_000_000_000 + second * 1000).toISOString()
const pod: PodTimes = {
  pod: 'web-1a-x',
  workload: 'web',
  created: at(0),
  scheduled: at(1),
  pull: { from: at(1), to: at(4) },
  init: { from: at(4), to: at(6) },
  started: at(7),
  ready: at(9),
}
const times = { began: at(0), ended: at(30), shifts: [] }

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
    const shifts = [{ at: at(12), service: 'web', what: 'web-2: 1 of 3 pods; #' }]
    const text = ganttOf({ ...times, pods: [], shifts })
    expect(text).toContain(
      '  section requests\n  web to web-2 1 of 3 pods :milestone, 1800000012, 0s',
    )
  })

  it('is left out where nothing happened', () => {
    expect(isEmpty({ ...times, pods: [] })).toBe(true)
    expect(isEmpty({ ...times, pods: [pod] })).toBe(false)
  })
})
