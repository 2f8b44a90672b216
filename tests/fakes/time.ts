import { jest } from '@jest/globals'

/** Does `work` without waiting for its timers: each pause passes as soon as it begins. Dates and network are the real ones. */
export async function hurry<T>(work: () => Promise<T>): Promise<T> {
  jest.useFakeTimers({
    doNotFake: ['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate'],
  })
  try {
    const end = { isOver: false }
    const result = work().finally(() => {
      end.isOver = true
    })
    result.catch(() => undefined) // It is awaited below; until then nobody else listens.
    while (!end.isOver) {
      await new Promise((resolve) => setImmediate(resolve))
      jest.runOnlyPendingTimers()
    }
    return await result
  } finally {
    jest.useRealTimers()
  }
}
