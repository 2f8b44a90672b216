import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { REFUSAL_CODES } from '../../src/cluster/refusals.ts'
import { ROLLOUT_CODES } from '../../src/rollout/causes/codes.ts'

const text = readFileSync('docs/causes.md', 'utf8')
const documented = new Set(
  text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([a-z-]+)`/g)])
    .map(([, code]) => code),
)

/** Every code that an error of the deploy is given, wherever it is made. */
const given = ['src/rollout', 'src/cluster', 'src/render']
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .flatMap((file) => [
    ...readFileSync(file, 'utf8').matchAll(
      /(?:\bcode: |(?:alone|group)\([^;]*?, )'([a-z]+(?:-[a-z]+)*)'/g,
    ),
  ])
  .map(([, code]) => code)

describe('the codes of causes', () => {
  it('are all explained, and none that is not', () => {
    const codes = new Set([...ROLLOUT_CODES, ...REFUSAL_CODES, ...given])
    expect([...documented].toSorted()).toEqual([...codes].toSorted())
  })

  it('are kebab-case words', () => {
    for (const code of documented) expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/)
  })
})
