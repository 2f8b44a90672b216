import { describe, expect, it } from '@jest/globals'
import { createSchedule, estimateSecondsLeft } from './schedule.ts'
import type { Step, StepStatus } from './schedule.ts'

interface Trial {
  readonly step: Step
  readonly finish: () => void
  readonly fail: (failure: Error) => void
}

function tryStep(name: string, options: Partial<Step> = {}): Trial {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  const step = {
    name,
    title: name,
    needs: [],
    seconds: 10,
    run: async () => {
      await promise
    },
    ...options,
  }
  return {
    step,
    finish: () => {
      resolve(undefined)
    },
    fail: reject,
  }
}

const one = { processors: 1, network: 1 }

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function running(statuses: readonly StepStatus[]): string[] {
  return statuses.filter(({ state }) => state === 'running').map(({ step }) => step.name)
}

describe('a schedule', () => {
  it('runs only what is wanted and what that needs, the needs first', async () => {
    const [base, image, other] = [
      tryStep('base'),
      tryStep('image', { needs: ['base'] }),
      tryStep('other'),
    ]
    const schedule = createSchedule([base.step, image.step, other.step], { slots: one })
    const wanted = schedule.ensure(['image'])
    expect(running(schedule.status())).toEqual(['base'])
    base.finish()
    await settled()
    expect(running(schedule.status())).toEqual(['image'])
    image.finish()
    await expect(wanted).resolves.toBeUndefined()
  })

  it('keeps steps within the slots of what they use, in the order they were wanted', async () => {
    const trials = ['one', 'two', 'three'].map((name) => tryStep(name, { uses: 'processors' }))
    const schedule = createSchedule(
      trials.map(({ step }) => step),
      { slots: { processors: 2, network: 1 } },
    )
    void schedule.ensure(['three'])
    void schedule.ensure(['one', 'two'])
    expect(running(schedule.status())).toEqual(['one', 'three'])
    trials[2]?.finish()
    await settled()
    expect(running(schedule.status())).toEqual(['one', 'two'])
  })

  it('lets what is urgent go first', () => {
    const [first, urgent] = [
      tryStep('first', { uses: 'network' }),
      tryStep('urgent', { uses: 'network', urgent: true }),
    ]
    const schedule = createSchedule([first.step, urgent.step], { slots: one })
    void schedule.ensure(['first', 'urgent'])
    expect(running(schedule.status())).toEqual(['urgent'])
  })

  it('gives the failure of a need to whoever wanted what depends on it', async () => {
    const [base, image] = [tryStep('base'), tryStep('image', { needs: ['base'] })]
    const schedule = createSchedule([base.step, image.step], { slots: one })
    const wanted = schedule.ensure(['image'])
    base.fail(new Error('no network'))
    await expect(wanted).rejects.toThrow('no network')
  })

  it('wants a step once, however often it is asked for', async () => {
    let runs = 0
    const step = {
      ...tryStep('engine').step,
      run: async () => {
        runs += 1
        await settled()
      },
    }
    const schedule = createSchedule([step], { slots: one })
    await Promise.all([schedule.ensure(['engine']), schedule.ensure(['engine'])])
    await schedule.ensure(['engine'])
    expect(runs).toBe(1)
  })
})

describe('the estimate of the time left', () => {
  const status = (step: Step, more: Partial<StepStatus> = {}): StepStatus => ({
    ...{ step, state: 'waiting', startedAt: undefined, seconds: undefined },
    ...more,
  })

  it('is the longest chain of needs', () => {
    const statuses = [
      status(tryStep('a').step),
      status(tryStep('b', { needs: ['a'], seconds: 30 }).step),
      status(tryStep('c').step),
    ]
    expect(estimateSecondsLeft(statuses, { processors: 2, now: 0 })).toBe(40)
  })

  it('is the heavy work shared among its slots when that is longer', () => {
    const heavy = ['a', 'b', 'c', 'd'].map((name) =>
      status(tryStep(name, { uses: 'processors' }).step),
    )
    expect(estimateSecondsLeft(heavy, { processors: 2, now: 0 })).toBe(20)
  })

  it('learns from a machine that is slower than expected', () => {
    const slow = status(tryStep('a', { seconds: 60 }).step, { state: 'done', seconds: 180 })
    expect(estimateSecondsLeft([slow, status(tryStep('b').step)], { processors: 1, now: 0 })).toBe(
      20,
    )
  })

  it('counts nothing for what was found done', () => {
    expect(
      estimateSecondsLeft([status(tryStep('a', { done: true }).step)], { processors: 1, now: 0 }),
    ).toBe(0)
  })
})
