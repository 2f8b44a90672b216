import { type CommandResult, STATUS } from '../../src/edge/command.ts'

/** What `preview` says when previews went, or when there was none. */
export function reportRemoval(
  namespaces: readonly string[],
  command: 'down' | 'reap',
): CommandResult {
  const outcome = namespaces.length === 0 ? 'unchanged' : 'removed'
  const headline =
    namespaces.length === 0
      ? `preview ${command}: there was nothing to remove`
      : `preview ${command}: removed ${namespaces.join(', ')}`
  return {
    outputs: { url: '', outcome },
    report: { kind: 'preview', version: 1, outcome, removed: namespaces },
    summary: `## ${headline}\n`,
    headline,
    status: STATUS.good,
  }
}
