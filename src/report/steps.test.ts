import { describe, expect, it } from '@jest/globals'
import { fakeWorld } from '../../tests/fakes/world.ts'
import { recordSteps, stepsChart } from './steps.ts'

const take = async (world: ReturnType<typeof fakeWorld>, seconds: number) => {
  await world.clock.sleep(seconds * 1000, world.signal)
  return seconds
}

describe('the record of steps', () => {
  it('has title, begin and length of each, and gives back what the work gave', async () => {
    const fake = fakeWorld()
    const { world, steps } = recordSteps(fake)
    expect(await world.progress.step('first', () => take(fake, 3))).toBe(3)
    await take(fake, 1)
    await world.progress.step('second', () => take(fake, 2))
    expect(fake.said).toEqual(['first', 'second'])
    expect(steps()).toEqual([
      { title: 'first', start: 0, seconds: 3, state: 'done' },
      { title: 'second', start: 4, seconds: 2, state: 'done' },
    ])
  })

  it('says which one failed, and which were under way at that time', async () => {
    const fake = fakeWorld()
    const { world, steps } = recordSteps(fake)
    const never = world.progress.step('beside', () => new Promise(() => undefined))
    never.catch(() => undefined)
    const failing = world.progress.step('broken', async () => {
      await take(fake, 2)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    await take(fake, 1)
    expect(steps()).toEqual([
      { title: 'beside', start: 0, seconds: 3, state: 'unfinished' },
      { title: 'broken', start: 0, seconds: 2, state: 'failed' },
    ])
    const { html } = stepsChart(steps())
    expect(html).toContain('failed after 2 s')
    expect(html).toContain('not ended after 3 s')
  })

  it('leaves the rest of the world as it is', () => {
    const fake = fakeWorld()
    const { world } = recordSteps(fake)
    world.progress.say('something')
    expect(fake.said).toEqual(['something'])
    expect(world.signal).toBe(fake.signal)
  })
})
