import type { World } from '../world.ts'
import { seconds, timeline } from './charts.ts'
import type { Html } from './markup.ts'

/** One chapter of what a command did. */
export type Step = {
  readonly title: string
  /** Seconds since the recording began. */
  readonly start: number
  readonly seconds: number
  /** `unfinished`: something else failed while it was under way. */
  readonly state: 'done' | 'failed' | 'unfinished'
}

/** A world that writes down when each chapter began and ended, besides showing it; and what it has written. */
export function recordSteps(world: World): {
  readonly world: World
  readonly steps: () => readonly Step[]
} {
  const { clock, progress } = world
  const begun = clock.now().getTime()
  const now = () => clock.now().getTime() - begun
  const records: Step[] = []
  const step = async <T>(title: string, work: () => Promise<T>): Promise<T> => {
    const start = now()
    const begin = { title, start: start / 1000, seconds: 0, state: 'unfinished' } as const
    const place = records.push(begin) - 1
    const end = (state: Step['state']) => {
      records[place] = { title, start: start / 1000, seconds: (now() - start) / 1000, state }
    }
    return await progress.step(title, async () => {
      try {
        const result = await work()
        end('done')
        return result
      } catch (error) {
        end('failed')
        throw error
      }
    })
  }
  const upToNow = (one: Step): Step =>
    one.state === 'unfinished' ? { ...one, seconds: (now() - one.start * 1000) / 1000 } : one
  return { world: { ...world, progress: { ...progress, step } }, steps: () => records.map(upToNow) }
}

const TONES = { done: 'now', failed: 'bad', unfinished: 'wait' } as const
const STATES = { done: 'done', failed: 'failed', unfinished: 'not ended' } as const

/** When each step ran and how long it took. */
export function stepsChart(steps: readonly Step[]): Html {
  const rows = steps.map(({ title, start, seconds: took, state }) => {
    const text = `${title}: ${seconds(took)}, from ${seconds(start)} on`
    const words = state === 'done' ? seconds(took) : `${STATES[state]} after ${seconds(took)}`
    const span = { tone: TONES[state], start, end: start + took, text }
    return { label: title, spans: [span], words }
  })
  const states = [...new Set(steps.map(({ state }) => state))]
  const legend = states.map((state) => ({ tone: TONES[state], text: STATES[state] }))
  return timeline(rows, states.length < 2 ? [] : legend)
}
