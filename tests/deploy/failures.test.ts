import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { UserError } from '../../src/errors.ts'
import type { DeployResult } from '../../src/rollout/outcome.ts'
import { type Failure, failures } from './failures/failures.ts'
import { goodRelease, type Seed } from './failures/objects.ts'
import { openStage, shellImage, type Stage } from './failures/stage.ts'

let image = ''
let folder = ''
beforeAll(async () => {
  image = await shellImage()
  folder = await mkdtemp(join(tmpdir(), 'failures-'))
})
afterAll(async () => {
  await mkdir('out/deploy', { recursive: true })
  await writeFile('out/deploy/failures.json', `${JSON.stringify(measured, null, 2)}\n`)
  await rm(folder, { recursive: true, force: true })
})

type Verdict = {
  readonly outcome: string
  readonly code: string | undefined
  readonly line: string
  /** Seconds from the start to the verdict: before what follows from it. */
  readonly seconds: number
}

/** Read by the bench. */
const measured: (Verdict & { readonly failure: string })[] = []

async function judge(failure: Failure, stage: Stage, seed: Seed): Promise<Verdict> {
  const began = Date.now()
  const { timeoutSeconds = 120 } = failure
  const evidenceFolder = join(folder, failure.name)
  const release = { identity: failure.name, objects: failure.objects(seed) }
  try {
    const result: DeployResult = await stage.deploy({
      ...release,
      options: { timeoutSeconds, evidenceFolder },
    })
    const said = stage.said.find(({ line }) => line === result.failure?.message)
    return {
      outcome: result.outcome,
      code: result.failure?.rolloutCause?.code,
      line: result.message,
      seconds: said?.seconds ?? Number.NaN,
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const seconds = (Date.now() - began) / 1000
    return { outcome: 'refused', code: error.code, line: error.message, seconds }
  }
}

describe('a seeded failure', () => {
  it.each(failures)('is told by its cause, and undone: $name', async (failure) => {
    const stage = await openStage(failure.name.replaceAll(/[^a-z]+/g, '-'))
    const seed = { namespace: stage.namespace, image }
    try {
      const first = await stage.deploy({ identity: 'good', objects: goodRelease(seed) })
      expect(`${first.outcome}: ${first.message}`).toContain('deployed')
      await failure.prepare?.(seed, stage.cluster)
      const verdict = await judge(failure, stage, seed)
      measured.push({ failure: failure.name, ...verdict })
      process.stdout.write(
        `${failure.name}: ${verdict.seconds.toFixed(1)} s, ${verdict.code ?? '?'}, ${verdict.outcome}: ${verdict.line}\n`,
      )
      expect(failure.codes).toContain(verdict.code)
      expect(verdict.line).toMatch(failure.says)
      expect(['rolled-back', 'refused']).toContain(verdict.outcome)
      if (verdict.outcome === 'refused') return
      const files = await readdir(join(folder, failure.name), { recursive: true })
      expect(files.join()).toContain('cause.txt')
      const cause = files.find((name) => name.endsWith('cause.txt')) ?? ''
      const text = await readFile(join(folder, failure.name, cause), 'utf8')
      expect(text).toContain(`code: ${verdict.code ?? ''}`)
    } finally {
      await stage.close()
    }
  })
})
