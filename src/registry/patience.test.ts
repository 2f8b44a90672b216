import { describe, expect, it } from '@jest/globals'
import { RegistryError } from './failure.ts'
import { newHope, persist, retryAfterMs } from './patience.ts'

const QUICK = { attempts: 3, firstPauseMs: 2, longestPauseMs: 500, totalMs: 2000 }
const { signal } = new AbortController()
const passing = (waitMs?: number) => new RegistryError('not now', { passing: true, waitMs })

describe('patience', () => {
  it('tries again what may pass, until it does', async () => {
    let tried = 0
    const work = () => ((tried += 1) < 3 ? Promise.reject(passing()) : Promise.resolve('done'))
    expect(await persist(work, QUICK, signal)).toBe('done')
  })

  it.each([
    { name: 'ends after its attempts', error: passing(), patience: QUICK, attempts: 3 },
    {
      name: 'has none with what never passes',
      error: new RegistryError('no', { passing: false }),
      patience: QUICK,
      attempts: 1,
    },
    { name: 'has none with a mistake', error: new TypeError('oh'), patience: QUICK, attempts: 1 },
    {
      name: 'does not wait longer than it may',
      error: passing(60_000),
      patience: QUICK,
      attempts: 1,
    },
    {
      name: 'ends when its time is over',
      error: passing(30),
      patience: { ...QUICK, attempts: 1000, totalMs: 100 },
      attempts: 4,
    },
  ])('$name', async ({ error, patience, attempts }) => {
    let tried = 0
    const work = () => {
      tried += 1
      return Promise.reject(error)
    }
    await expect(persist(work, patience, signal)).rejects.toBe(error)
    expect(tried).toBeLessThanOrEqual(attempts)
    expect(tried).toBeGreaterThanOrEqual(Math.min(attempts, 2))
  })

  it('waits as long as it is asked to', async () => {
    const hope = newHope(QUICK, signal)
    const began = performance.now()
    await hope.lose(passing(80))
    expect(performance.now() - began).toBeGreaterThanOrEqual(78)
  })

  it('starts anew when something was reached', async () => {
    const hope = newHope(QUICK, signal)
    for (let lost = 1; lost <= 9; lost += 1) {
      if (lost % 2 === 0) hope.gain()
      await hope.lose(passing())
    }
    await expect(hope.lose(passing())).rejects.toThrow('not now')
  })

  it('ends with the run', async () => {
    const run = new AbortController()
    const waiting = newHope(QUICK, run.signal).lose(passing(400))
    run.abort(new Error('cancelled'))
    await expect(waiting).rejects.toThrow('cancelled')
  })
})

describe('Retry-After', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  it.each([
    { header: '3', wait: 3000 },
    { header: ' 0 ', wait: 0 },
    { header: 'Thu, 01 Jan 2026 00:00:05 GMT', wait: 5000 },
    { header: 'Thu, 01 Jan 2025 00:00:05 GMT', wait: undefined },
    { header: 'soon', wait: undefined },
    { header: '-5', wait: undefined },
    { header: '99999999999999', wait: undefined },
    { header: undefined, wait: undefined },
  ])('of "$header" is $wait ms', ({ header, wait }) => {
    expect(retryAfterMs(header, now)).toBe(wait)
  })
})
