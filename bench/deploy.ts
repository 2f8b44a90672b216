// `npm run bench:deploy`: deploy against kubectl and Helm, side by side on the lab's cluster.
import { existsSync } from 'node:fs'
import { labRunner } from '../lab/runner.ts'
import { messageOf } from '../src/errors.ts'

const DEMO = 'out/demo/report.json'
const MINUTES = 60

/** Makes what the lab lacks, the bundle, and a release where none was carried yet; then measures in a process that finds all of it. */
async function main(args: readonly string[]): Promise<number> {
  const run = await labRunner(
    ['engine', 'registry', 'builder', 'render', 'scan', 'cluster', 'addons', 'fakenodes'],
    MINUTES,
  )
  // What is measured is what users start: the bundle, made from these very sources.
  if (!args.includes('--built') && run(['scripts/build.ts']) !== 0) return 1
  if (!existsSync(DEMO) && run(['lab/demo.ts']) !== 0) return 1
  return run(['bench/deploy/main.ts', ...args.filter((arg) => arg !== '--built')])
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
