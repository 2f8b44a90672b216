import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { fakeWorld } from '../../tests/fakes/world.ts'
import { inRealWorld } from './world.ts'

describe('the real world', () => {
  it('tells why its work failed, though a part of it still writes into the workspace', async () => {
    const { signal } = new AbortController()
    let [workspace, goesOn, late] = ['', true, Promise.resolve()]
    const write = async (index: number) => {
      for (let count = 0; goesOn; count += 1) {
        const folder = join(workspace, `part-${index}`)
        const made = mkdir(folder, { recursive: true })
        const written = made.then(() => writeFile(join(folder, String(count)), ''))
        await written.catch(() => undefined) // It was removed meanwhile.
      }
    }
    const work = inRealWorld({ progress: fakeWorld().progress, signal }, (world) => {
      workspace = world.workspace
      late = Promise.all([1, 2, 3, 4].map(write)).then(() => undefined)
      return Promise.reject(new Error('the cause'))
    })
    await expect(work).rejects.toThrow('the cause')
    goesOn = false
    await late
    await rm(workspace, { recursive: true, force: true })
  })
})
