const STEP = /^#(?<id>\d+) \[(?<stage>[^\]]+)\] (?<what>(?:RUN|COPY|ADD) .*)$/
const RUNNING = /^#(?<id>\d+) \d+\.\d+ /
const DONE = /^#(?<id>\d+) DONE (?<seconds>\d+\.\d)s$/
/** Steps that took less are not worth a line of their own. */
const WORTH_SAYING_S = 1
const SHOWN_CHARACTERS = 90

/** Reads BuildKit's plain progress and says what really runs: a step that starts to print, and each that took a while. Cached ones are silent. */
export function followBuild(say: (line: string) => void): (line: string) => void {
  const names = new Map<string, string>()
  const begun = new Set<string>()
  return (line) => {
    const step = STEP.exec(line)?.groups
    if (step !== undefined) {
      const name = `${step['stage'] ?? ''}: ${step['what'] ?? ''}`
      names.set(step['id'] ?? '', name.slice(0, SHOWN_CHARACTERS))
      return
    }
    const running = RUNNING.exec(line)?.groups?.['id'] ?? ''
    if (names.has(running) && !begun.has(running)) {
      begun.add(running)
      say(names.get(running) ?? '')
    }
    const done = DONE.exec(line)?.groups
    const name = names.get(done?.['id'] ?? '')
    const seconds = Number(done?.['seconds'] ?? 0)
    if (name !== undefined && seconds >= WORTH_SAYING_S) say(`${name} (${seconds} s)`)
  }
}
