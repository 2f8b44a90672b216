import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  type Artifact,
  listReferrers,
  pullArtifact,
  pushArtifact,
} from '../../src/registry/artifact.ts'
import type { Repository } from '../../src/registry/client.ts'
import type { Descriptor } from '../../src/registry/layout.ts'
import { newRun, type Run } from './client.ts'
import { startDistribution } from './distribution.ts'
import { type Running, startProgram } from './running.ts'

const TYPE = 'application/vnd.todo-deploy.verdict.v1+json'
const memory = (kind: string) => () => startProgram([process.env['REGISTRY_REFERRERS'] ?? '', kind])
const registries = [
  {
    name: 'distribution 2, which has no referrers API',
    start: () => startDistribution('v2', 'open'),
    usesTag: true,
  },
  {
    name: 'distribution 3, which has none either',
    start: () => startDistribution('v3', 'open'),
    usesTag: true,
  },
  {
    name: 'a registry that lists types of configurations and does not say that it lists',
    start: memory('crane'),
    usesTag: true,
  },
  { name: 'a registry that does all of it', start: memory('oci'), usesTag: false },
]

describe.each(registries)('statements in $name', ({ start, usesTag }) => {
  let registry: Running
  let run: Run
  beforeAll(async () => {
    registry = await start()
    run = newRun()
  })
  afterAll(async () => {
    await registry.stop()
  })

  const statement = (content: string, at: string, subject?: Descriptor): Artifact => ({
    type: TYPE,
    mediaType: 'application/json',
    content: Buffer.from(content),
    annotations: { 'org.opencontainers.image.created': at },
    ...(subject === undefined ? {} : { subject }),
  })

  it('are found by their type, oldest first, and by another run', async () => {
    const repository = run.open(registry.registry, 'todo/release')
    const subject = await pushArtifact(statement('release', '2026-01-01T00:00:00Z'), repository)
    const digests: string[] = []
    for (const day of [2, 3, 4, 5]) {
      const at = `2026-01-0${day}T00:00:00Z`
      digests.push(
        (await pushArtifact(statement(`verdict ${day}`, at, subject), repository)).digest,
      )
      const other = { ...statement(`sbom ${day}`, at, subject), type: 'application/vnd.other' }
      await pushArtifact(other, repository)
    }
    const later = newRun().open(registry.registry, 'todo/release')
    expect(await listReferrers(subject.digest, TYPE, later)).toEqual(digests)
    const pulled = await pullArtifact(digests[0] ?? '', later)
    expect(pulled).toMatchObject(statement('verdict 2', '2026-01-02T00:00:00Z'))
    const tag = await later.getManifest(subject.digest.replace(':', '-'))
    expect(tag !== undefined).toBe(usesTag)
  })

  it('written by several at the same time are all kept', async () => {
    const [first, other] = [run, newRun()].map((one) =>
      one.open(registry.registry, 'todo/crowd'),
    ) as [Repository, Repository]
    const subject = await pushArtifact(statement('release', '2026-01-01T00:00:00Z'), first)
    const pushed = await Promise.all(
      ['1', '2', '3', '4'].map((content) => {
        // Two runs, as two jobs would be; each writes two.
        const repository = Number(content) % 2 === 0 ? first : other
        return pushArtifact(
          statement(content, `2026-01-0${content}T00:00:00Z`, subject),
          repository,
        )
      }),
    )
    const found = await listReferrers(subject.digest, TYPE, first)
    expect([...found].sort()).toEqual(pushed.map(({ digest }) => digest).sort())
  })

  it('are written also where somebody has deleted one of them', async () => {
    const repository = run.open(registry.registry, 'todo/cleaned')
    const subject = await pushArtifact(statement('release', '2026-01-01T00:00:00Z'), repository)
    const push = async (day: number) =>
      await pushArtifact(statement(`${day}`, `2026-01-0${day}T00:00:00Z`, subject), repository)
    const [gone, kept] = [await push(2), await push(3)]
    const url = `http://${registry.registry}/v2/todo/cleaned/manifests/${gone.digest}`
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(202)
    const added = await push(4)
    const later = newRun().open(registry.registry, 'todo/cleaned')
    const found = await listReferrers(subject.digest, TYPE, later)
    expect(found.filter((digest) => digest !== gone.digest)).toEqual([kept.digest, added.digest])
    expect(await pullArtifact(gone.digest, later).catch(() => undefined)).toBeUndefined()
  })

  it('are none about what nobody speaks of', async () => {
    const subject = `sha256:${'0'.repeat(64)}`
    const repository = run.open(registry.registry, 'todo/release')
    expect(await listReferrers(subject, TYPE, repository)).toEqual([])
  })
})
