import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { expect, it } from '@jest/globals'

const LIMIT_MS = 230_000

/** The shell block of the README that begins with the lab's variables: what a newcomer types. */
async function laptopBlock(): Promise<string> {
  const readme = await readFile('README.md', 'utf8')
  const blocks = [...readme.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block ?? '')
  return blocks.find((block) => block.includes('lab:status')) ?? ''
}

it('does what the README has people type on a laptop, line by line', async () => {
  const block = await laptopBlock()
  expect(block).toContain('td preview --command down')
  const run = promisify(execFile)
  const script = `set -euo pipefail\n${block}`
  const { stdout } = await run('bash', ['-c', script], { timeout: LIMIT_MS })
  expect(stdout).toMatch(/^dev: planned\. 0 objects would change$/m)
  expect(stdout).toMatch(/^dev: pass, \d+ of \d+ checks passed$/m)
  expect(stdout).toMatch(/^preview down: removed todo-app-preview-pr-42$/m)
})
