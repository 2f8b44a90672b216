import { describe, expect, it } from '@jest/globals'
import { deploymentOf } from '../../../tests/fakes/manifests.ts'
import { bestFit, slackOf, walk } from './weights.ts'

describe('the best fit', () => {
  it.each([
    { name: 'exact', replicas: 10, weight: 10, fit: { canary: 1, stable: 9, error: 0 } },
    { name: 'with one more pod', replicas: 3, weight: 25, fit: { canary: 1, stable: 3, error: 0 } },
    { name: 'far away', replicas: 3, weight: 10, fit: { canary: 1, stable: 3, error: 15 } },
    { name: 'of one pod', replicas: 1, weight: 10, fit: { canary: 1, stable: 1, error: 40 } },
    { name: 'half of three', replicas: 3, weight: 50, fit: { canary: 2, stable: 2, error: 0 } },
  ])('$name: $weight % of $replicas', ({ replicas, weight, fit }) => {
    expect(bestFit(replicas, weight, { surge: 1, unavailable: 0 })).toMatchObject(fit)
  })

  it('is never worse than any other choice within the limits', () => {
    for (let replicas = 1; replicas <= 12; replicas += 1)
      for (let weight = 1; weight < 100; weight += 7) {
        const fit = bestFit(replicas, weight, { surge: 2, unavailable: 1 })
        expect(fit.canary + fit.stable).toBeLessThanOrEqual(replicas + 2)
        expect(fit.canary + fit.stable).toBeGreaterThanOrEqual(Math.min(replicas - 1, 2))
        for (let canary = 1; canary < replicas; canary += 1)
          expect(fit.error).toBeLessThanOrEqual(Math.abs((100 * canary) / replicas - weight) + 1e-9)
      }
  })
})

describe('the way from counts to counts', () => {
  it('never has more pods than the surge allows, nor fewer than are needed', () => {
    for (let replicas = 1; replicas <= 10; replicas += 1)
      for (const surge of [1, 3])
        for (const canary of [1, Math.ceil(replicas / 2), replicas]) {
          const to = { canary, stable: replicas - canary }
          const limits = { replicas, surge, unavailable: 0 }
          const steps = walk({ canary: 0, stable: replicas }, to, limits)
          expect(steps.at(-1)).toEqual(to)
          let before = { canary: 0, stable: replicas }
          for (const step of steps) {
            expect(step.canary + step.stable).toBeLessThanOrEqual(replicas + surge)
            expect(step.canary + step.stable).toBeGreaterThanOrEqual(replicas)
            // One side at a time: the other has to be ready first.
            expect(step.canary === before.canary || step.stable === before.stable).toBe(true)
            before = step
          }
        }
  })

  it('takes one more for a moment where neither more nor fewer are allowed', () => {
    const steps = walk(
      { canary: 0, stable: 2 },
      { canary: 1, stable: 1 },
      {
        ...{ replicas: 2, surge: 0, unavailable: 0 },
      },
    )
    expect(steps).toEqual([
      { canary: 1, stable: 2 },
      { canary: 1, stable: 1 },
    ])
  })

  it('brings missing old pods back first', () => {
    const limits = { replicas: 4, surge: 1, unavailable: 0 }
    expect(walk({ canary: 2, stable: 1 }, { canary: 1, stable: 3 }, limits)[0]).toEqual({
      canary: 2,
      stable: 3,
    })
  })
})

describe('what a workload may have more, and lack', () => {
  it.each([
    { name: 'numbers', rollingUpdate: { maxSurge: 2, maxUnavailable: 0 }, slack: [2, 0] },
    { name: 'shares', rollingUpdate: { maxSurge: '30%', maxUnavailable: '30%' }, slack: [2, 1] },
    { name: 'nothing said', rollingUpdate: {}, slack: [2, 1] },
    { name: 'no surge', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 }, slack: [1, 1] },
  ])('$name', ({ rollingUpdate, slack: [surge, unavailable] }) => {
    const deployment = deploymentOf('web', {}, { strategy: { rollingUpdate } })
    expect(slackOf(deployment, 5)).toEqual({ surge, unavailable })
  })
})
