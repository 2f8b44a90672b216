import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { removeLeft } from './leftovers.ts'

const HOUR_MS = 3_600_000
let parent = ''

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'leftovers-'))
})

afterEach(async () => {
  await rm(parent, { recursive: true })
})

it('what killed runs left is removed, and what runs, is young or is not ours stays', async () => {
  const { pid: dead } = spawnSync('true')
  const killed = `run-${dead}-a`
  const alive = `run-${process.pid}-b`
  for (const name of [killed, alive, 'something']) {
    await mkdir(join(parent, name))
    await writeFile(join(parent, name, 'layer'), 'x')
  }
  await removeLeft(parent)
  expect((await readdir(parent)).sort()).toEqual([killed, alive, 'something'].sort())
  await removeLeft(parent, Date.now() + 7 * HOUR_MS)
  expect((await readdir(parent)).sort()).toEqual([alive, 'something'].sort())
})
