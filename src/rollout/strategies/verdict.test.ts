import { describe, expect, it } from '@jest/globals'
import { readStrategy } from '../../environments/strategy.ts'
import { judge, type Sample } from './verdict.ts'

const strategy = readStrategy({ type: 'canary', analysis: { samples: 20 } })
if (strategy.type !== 'canary') throw new Error('it was asked for a canary')
const { analysis } = strategy

function sample(more: Partial<Sample> = {}): Sample {
  return {
    answers: 40,
    errors: 0,
    latencies: Array.from({ length: 40 }, (_none, index) => 10 + (index % 5)),
    restarts: 0,
    metrics: { errors: undefined, latency: undefined },
    ...more,
  }
}

describe('the verdict about a canary', () => {
  it.each([
    { name: 'equal sides', canary: {}, baseline: {}, verdict: 'pass' },
    {
      name: 'errors on both sides alike',
      canary: { errors: 4 },
      baseline: { errors: 4 },
      verdict: 'pass',
    },
    { name: 'errors of the new pods only', canary: { errors: 8 }, baseline: {}, verdict: 'fail' },
    {
      name: 'one error, which may be chance',
      canary: { errors: 1 },
      baseline: {},
      verdict: 'inconclusive',
    },
    {
      name: 'nothing but errors of the new pods',
      canary: { errors: 40 },
      baseline: {},
      verdict: 'fail',
    },
    {
      name: 'nothing but errors of both',
      canary: { errors: 40 },
      baseline: { errors: 40 },
      verdict: 'inconclusive',
    },
    { name: 'too few answers', canary: { answers: 19 }, baseline: {}, verdict: 'inconclusive' },
    {
      name: 'too few answers of the old pods',
      canary: {},
      baseline: { answers: 0 },
      verdict: 'inconclusive',
    },
    {
      name: 'errors, and too few answers',
      canary: { answers: 5, errors: 5 },
      baseline: {},
      verdict: 'inconclusive',
    },
    { name: 'restarts of the new pods', canary: { restarts: 1 }, baseline: {}, verdict: 'fail' },
    {
      name: 'restarts of both',
      canary: { restarts: 1 },
      baseline: { restarts: 2 },
      verdict: 'inconclusive',
    },
    {
      name: 'slow answers',
      canary: { latencies: Array<number>(40).fill(90) },
      baseline: {},
      verdict: 'fail',
    },
    {
      name: 'a difference that is noise',
      canary: { latencies: Array<number>(40).fill(30) },
      baseline: {},
      verdict: 'pass',
    },
  ])('of $name is $verdict', ({ canary, baseline, verdict }) => {
    expect(judge(sample(canary), sample(baseline), analysis).verdict).toBe(verdict)
  })

  it('names what was compared', () => {
    expect(judge(sample(), sample(), analysis).reasons).toEqual([
      'errors 0.0 % of 40 against 0.0 % of 40, p95 14 ms against 14 ms, restarts 0 against 0',
    ])
  })

  it.each([
    {
      name: 'alike',
      mine: { errors: 0.01, latency: 0.1 },
      theirs: { errors: 0.01, latency: 0.1 },
      verdict: 'pass',
    },
    {
      name: 'errors',
      mine: { errors: 0.2, latency: 0.1 },
      theirs: { errors: 0.01, latency: 0.1 },
      verdict: 'fail',
    },
    {
      name: 'slow',
      mine: { errors: 0, latency: 0.4 },
      theirs: { errors: 0, latency: 0.1 },
      verdict: 'fail',
    },
    {
      name: 'no data',
      mine: { errors: undefined, latency: undefined },
      theirs: { errors: 0, latency: 0.1 },
      verdict: 'inconclusive',
    },
  ])('counts what Prometheus says: $name is $verdict', ({ mine, theirs, verdict }) => {
    const prometheus = { namespace: 'm', service: 'p', port: 9090, errors: 'q' }
    const both = [sample({ metrics: mine }), sample({ metrics: theirs })] as const
    expect(judge(...both, { ...analysis, prometheus }).verdict).toBe(verdict)
  })
})
