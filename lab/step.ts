import { expectedSeconds } from './expected.ts'
import type { Step } from './schedule.ts'

type Rest = Omit<Step, 'name' | 'title' | 'seconds' | 'needs'> & {
  readonly needs?: readonly string[]
}

export function newStep(name: string, title: string, rest: Rest): Step {
  return { name, title, seconds: expectedSeconds[name] ?? 1, needs: [], ...rest }
}
