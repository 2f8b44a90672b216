import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { readChecks } from './checks.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'checks-'))
})
afterEach(() => rm(folder, { recursive: true }))

it("names the file and the line of what BuildKit's checks found, once", async () => {
  await writeFile(join(folder, 'api.Dockerfile'), 'FROM a\nMAINTAINER me\n')
  const target = {
    context: '.',
    contexts: {},
    args: {},
    resolved: {},
    dockerfile: 'api.Dockerfile',
  }
  const targets = [{ ...target, name: 'api' }]
  const warning = {
    short: base64('MaintainerDeprecated: Maintainer instruction is deprecated (line 2)'),
    url: 'https://docs.example/rule',
    sourceInfo: { filename: 'Dockerfile', data: base64('FROM a\nMAINTAINER me\n') },
    range: [{ start: { line: 2 } }],
  }
  const metadata = { 'buildx.build.warnings': [warning, warning] }
  expect(await readChecks(metadata, { file: 'x.hcl', folder, targets, parents: [] })).toEqual([
    {
      file: 'api.Dockerfile',
      line: 2,
      message: 'MaintainerDeprecated: Maintainer instruction is deprecated',
      url: 'https://docs.example/rule',
    },
  ])
})
