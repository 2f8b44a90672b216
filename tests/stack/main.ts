import { labRunner } from '../../lab/runner.ts'
import { messageOf } from '../../src/errors.ts'
import { labParts } from '../labparts.ts'
import { ensureTestPrograms } from '../programs.ts'
import { forgetFacts, readFacts, sections } from './facts.ts'
import { factTable } from './table.ts'

const MINUTES = 45

/**
 * `npm run test:stack [file …]`: makes what the lab lacks, carries a release to the three environments, runs the tests of this folder
 * and prints what they have measured.
 */
async function main(files: readonly string[]): Promise<number> {
  ensureTestPrograms((line) => {
    process.stdout.write(`stack: ${line}\n`)
  })
  const run = await labRunner(labParts, MINUTES)
  if (run(['lab/demo.ts']) !== 0) return 1
  forgetFacts()
  const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js']
  const status = run([...jest, '-c', 'tests/stack/jest.config.mjs', ...files])
  for (const section of sections) {
    const facts = readFacts(section)
    if (facts.length > 0) process.stdout.write(`\n${factTable(section, facts)}\n`)
  }
  return status
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
