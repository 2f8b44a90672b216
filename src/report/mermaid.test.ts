import { expect, it } from '@jest/globals'
import { stepsDiagram } from './mermaid.ts'

it('draws steps on one line of time, and lets no title break the chart', () => {
  const steps = [
    { title: 'Build: a; b\n```', start: 0, seconds: 62.25, state: 'done' },
    { title: '#%', start: 62.25, seconds: 0, state: 'failed' },
  ] as const
  expect(stepsDiagram(steps).split('\n')).toEqual([
    '```mermaid',
    'gantt',
    '  dateFormat HH:mm:ss.SSS',
    '  axisFormat %M:%S',
    '  todayMarker off',
    '  Build  a  b (62.3 s) :00:00:00.000, 00:01:02.250',
    '  step (0.0 s) :crit, 00:01:02.250, 00:01:02.300',
    '```',
  ])
})

it('leaves out what would be too long to be drawn', () => {
  const step = { title: 'x', start: 0, seconds: 1, state: 'done' } as const
  expect(stepsDiagram(Array.from({ length: 500 }, () => step)).split('\n').length).toBeLessThan(70)
})
