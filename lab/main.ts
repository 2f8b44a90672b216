import { availableParallelism } from 'node:os'
import { textOf } from './failure.ts'
import { createReporter, ensure, parts, stepsSoFar, timeTable } from './lab.ts'
import type { Part } from './lab.ts'
import { showStatus } from './status.ts'
import { stopLab } from './stop.ts'

const USAGE = `usage: lab up [PART...]     start the lab, or the named parts of it: ${parts.join(', ')}
       lab down [--purge]  remove everything the lab started; --purge also its cache folder
       lab status          what runs, where, how large`

// What only some tests need is not made unless it is asked for.
const DEFAULT_PARTS: readonly Part[] = [
  'engine',
  'registry',
  'builder',
  'render',
  'scan',
  'cluster',
]

async function main([command, ...rest]: readonly string[]): Promise<number> {
  const say = (line: string): void => void process.stderr.write(`lab: ${line}\n`)
  if (command === 'up' && rest.every(isPart))
    return up(rest.length > 0 ? rest.filter(isPart) : DEFAULT_PARTS)
  if (command === 'down' && rest.every((word) => word === '--purge')) {
    await stopLab({ purge: rest.length > 0, say })
    return 0
  }
  if (command === 'status' && rest.length === 0)
    return showStatus((line) => void process.stdout.write(`${line}\n`))
  process.stderr.write(`${USAGE}\n`)
  return 2
}

function isPart(word: string): word is Part {
  return parts.some((part) => part === word)
}

async function up(wanted: readonly Part[]): Promise<number> {
  const began = Date.now()
  const reporter = createReporter(process.stderr, Math.min(2, availableParallelism()))
  try {
    const lab = await ensure(wanted, reporter)
    const table = timeTable(await stepsSoFar())
    if (table.length > 0) reporter.say(`where the time went:\n${table.join('\n')}`)
    reporter.say(
      `ready after ${((Date.now() - began) / 1000).toFixed(1)} s: ${lab.ready.join(', ')}`,
    )
    reporter.say(
      `to use it: ${Object.entries(lab.environment)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ')}`,
    )
    return 0
  } finally {
    reporter.close()
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (failure) {
  process.stderr.write(`lab: ${textOf(failure)}\n`)
  if (!(failure instanceof Error) || failure.name !== 'LabError')
    process.stderr.write(`${failure instanceof Error ? failure.stack : ''}\n`)
  process.exitCode = 1
}
