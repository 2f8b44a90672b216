// Proposes newer versions of the programs in src/tools/pins.json. Nothing is downloaded but lists of releases and their published
// checksums; `--write` writes what is proposed. A release counts when it is seven days old, no trial, and whole for every platform.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, UserError } from '../src/errors.ts'
import { markdownTable } from '../src/report/markdown.ts'
import { project } from './actions.ts'
import { openNetwork, type PinnedTool, proposeUpdate, type Proposal } from './tool-releases.ts'

type Pins = { readonly tools: Readonly<Record<string, PinnedTool>> }

const PINS = join(project, 'src', 'tools', 'pins.json')

async function updateTools(args: readonly string[]): Promise<number> {
  const unknown = args.filter((arg) => arg !== '--write')
  if (unknown.length > 0)
    throw new UserError(`There is no "${unknown.join(' ')}"; there is --write`)
  const file = process.env['TODO_DEPLOY_PINS'] ?? PINS
  const pins = JSON.parse(await readFile(file, 'utf8')) as Pins
  const by = { read: openNetwork(process.env), now: new Date() }
  // One after the other: these hosts count calls. The first that fails ends it, so that nothing is written by halves.
  const proposals: Proposal[] = []
  for (const [tool, pinned] of Object.entries(pins.tools))
    proposals.push(await proposeUpdate(tool, pinned, by))
  process.stdout.write(`${tableOf(proposals)}\n`)
  const newer = proposals.filter(({ next }) => next !== undefined)
  if (newer.length === 0 || !args.includes('--write')) {
    process.stdout.write(
      newer.length === 0 ? 'All is up to date.\n' : 'Nothing written: --write does.\n',
    )
    return 0
  }
  await writeFile(file, `${JSON.stringify(withProposals(pins, newer), null, 2)}\n`)
  process.stdout.write(`${newer.length} written to ${file}\n`)
  return 0
}

function withProposals(pins: Pins, newer: readonly Proposal[]): Pins {
  const tools: Record<string, PinnedTool> = { ...pins.tools }
  for (const { tool, next } of newer)
    if (next !== undefined) tools[tool] = { version: next.version, platforms: next.platforms }
  return { ...pins, tools }
}

function tableOf(proposals: readonly Proposal[]): string {
  return markdownTable(
    ['program', 'pinned', 'proposed', 'of', 'not proposed'],
    proposals.map(({ tool, now, next, notes }) => [
      tool,
      now,
      next?.version ?? '',
      next?.published.slice(0, 10) ?? '',
      notes.join('; '),
    ]),
  )
}

try {
  process.exitCode = await updateTools(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UserError)) throw error
  process.stderr.write(`${messageOf(error)}\n`)
  for (const detail of error.details) process.stderr.write(`  ${detail}\n`)
  process.exitCode = 1
}
