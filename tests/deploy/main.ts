import { labRunner } from '../../lab/runner.ts'
import { messageOf } from '../../src/errors.ts'
import { ensureTestPrograms } from '../programs.ts'

const MINUTES = 90

/** `npm run test:deploy [file …]`: makes what the lab lacks, carries a release (whose images are used), and runs the tests of this folder. */
async function main(files: readonly string[]): Promise<number> {
  ensureTestPrograms((line) => {
    process.stdout.write(`deploy: ${line}\n`)
  })
  const run = await labRunner(
    [
      'engine',
      'registry',
      'builder',
      'render',
      'scan',
      'cluster',
      'addons',
      'monitoring',
      'ingress',
    ],
    MINUTES,
  )
  if (run(['lab/demo.ts']) !== 0) return 1
  const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js']
  return run([...jest, '-c', 'tests/deploy/jest.config.mjs', ...files])
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
