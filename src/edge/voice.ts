import type { Place } from '../world.ts'
import type { Voice } from './terminal.ts'

/** GitHub shows so many annotations of one level of a step, and drops the others without a word. */
export const MOST_ANNOTATIONS = 10

/** How progress looks to GitHub's runner: chapters fold, warnings stand on their line of code while there is room for more. */
export function githubVoice(): Voice {
  let warnings = 0
  // The runner reads a command behind any indent: what a build prints must not become one.
  const line = (text: string) => (/^\s*(::|##\[)/.test(text) ? `  │ ${text}` : `  ${text}`)
  return {
    begin: (title) => `::group::${title}`,
    end: (title, seconds) => `✓ ${title} (${seconds} s)\n::endgroup::`,
    warning: (text, place) => {
      warnings += 1
      const where = place === undefined ? '' : ` ${propertiesOf(place)}`
      if (warnings <= MOST_ANNOTATIONS) return `::warning${where}::${escapeData(text)}`
      return line(`! ${place === undefined ? '' : `${place.file}:${place.line}: `}${text}`)
    },
    line,
  }
}

/** Where an annotation is shown: at the line of the file. */
function propertiesOf({ file, line }: Place): string {
  const escaped = escapeData(file).replaceAll(':', '%3A').replaceAll(',', '%2C')
  return `file=${escaped},line=${line}`
}

/** Text of others must not become a command of the runner. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}
