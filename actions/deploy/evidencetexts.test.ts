import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { readEvidenceTexts } from './evidencetexts.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evidence-'))
  await mkdir(join(folder, 'web'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

const of = (...files: readonly string[]) => [{ object: 'web', logs: [], events: [], files }]

describe('the evidence for a page', () => {
  it('is the files that were written, without those that are gone or empty', async () => {
    await writeFile(join(folder, 'web/log.txt'), 'boom\n')
    await writeFile(join(folder, 'web/empty.txt'), '\n')
    const texts = await readEvidenceTexts(
      folder,
      of('web/log.txt', 'web/empty.txt', 'web/gone.txt'),
    )
    expect(texts).toEqual([{ name: 'web/log.txt', text: 'boom' }])
  })

  it('is the end of a long file, and says so', async () => {
    await writeFile(join(folder, 'web/log.txt'), `${'a'.repeat(100_000)}the end`)
    const [found] = await readEvidenceTexts(folder, of('web/log.txt'))
    expect(found?.text).toMatch(/^… the beginning is in the file …\na+the end$/)
    expect(found?.text.length).toBeLessThan(41_000)
  })

  it('is nothing where no folder was kept', async () => {
    expect(await readEvidenceTexts(undefined, of('web/log.txt'))).toEqual([])
  })
})
