import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock, RunProgram, World } from '../../src/world.ts'

export type FakeWorld = World & {
  /** Everything that was said, chapters and warnings included. */
  readonly said: string[]
}

/** A clock that starts at noon and moves only when somebody sleeps. */
export function fakeClock(): Clock {
  let now = Date.parse('2026-11-21T12:00:00Z')
  return {
    now: () => new Date(now),
    sleep: async (milliseconds, signal) => {
      signal.throwIfAborted()
      now += milliseconds
      await Promise.resolve()
    },
  }
}

/** A world of object literals; `given` replaces what a test is about. */
export function fakeWorld(given: Partial<World> = {}): FakeWorld {
  const said: string[] = []
  const say = (line: string) => {
    said.push(line)
  }
  return {
    progress: {
      step: async (title, work) => {
        say(title)
        return await work()
      },
      say,
      warn: say,
      show: () => undefined,
    },
    clock: fakeClock(),
    run: () => Promise.reject(new Error('this test runs no programs')),
    tools: (name) => Promise.resolve(`/tools/${name}`),
    signal: new AbortController().signal,
    workspace: '/nowhere',
    said,
    ...given,
  }
}

/** Stands in for kustomize where overlays are one plain file: prints the `all.yaml` of the overlay it is pointed at. */
export const plainKustomize: RunProgram = async ({ argv }) => {
  const top = argv.at(-1) ?? ''
  const kustomization = await readFile(join(top, 'kustomization.yaml'), 'utf8')
  const overlay = /^ {2}- \.\.\/(.+)$/m.exec(kustomization)?.[1] ?? ''
  const stdout = await readFile(join(dirname(top), overlay, 'all.yaml'), 'utf8')
  return { status: 0, stdout, stderr: '' }
}
