import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { type ColdBuilder, openColdBuilder } from '../../bench/builder.ts'
import { textAt } from '../../src/json.ts'
import { pinnedTools } from '../../src/tools/install.ts'
import { type Call, lab, todoDeploy } from '../e2e/lab.ts'
import { openUnreliable, type Unreliable } from './unreliable.ts'

/** A step that never gives the same twice: the same image can only come out of a cache. */
const DOCKERFILE = `FROM python:3.11-slim
RUN head -c 32 /dev/urandom > /random
COPY file /file
`
/** The same on each platform, by what the builder's own can run. */
const SEVERAL = `FROM --platform=$BUILDPLATFORM python:3.11-slim AS step
ARG TARGETARCH
RUN head -c 32 /dev/urandom > /random-of-$TARGETARCH
FROM scratch
ARG TARGETARCH
COPY --from=step /random-of-$TARGETARCH /random
`
const place = `layercache-${process.pid}`

let folder: string
let builder: ColdBuilder
let registry: Unreliable

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'todo-deploy-layercache-'))
  await writeFile(join(folder, 'Dockerfile'), DOCKERFILE)
  await writeFile(join(folder, 'file'), 'a')
  // The branch of a checkout: that of this one may be none, as on a runner.
  execFileSync('git', ['init', '--quiet', '--initial-branch', 'main', folder])
  await writeFile(join(folder, 'several.Dockerfile'), SEVERAL)
  const more = 'dockerfile = "several.Dockerfile"\n  platforms = ["linux/amd64", "linux/arm64"]'
  const bake = ['api', 'several'].map(
    (target) =>
      `target "${target}" {\n  context = "${folder}"\n  ${target === 'api' ? '' : more}\n}\n`,
  )
  await writeFile(join(folder, 'bake.hcl'), bake.join(''))
  const never = () => Promise.reject(new Error('the lab has all programs'))
  Object.assign(process.env, lab.environment)
  const buildx = await pinnedTools({ download: never, extract: never })('buildx')
  builder = await openColdBuilder(lab, buildx, `todo-deploy-${place}`)
  registry = await openUnreliable(lab.registry)
})
afterEach(() => {
  registry.decide(() => 'pass')
})
afterAll(async () => {
  await builder.remove()
  await registry.stop()
  await rm(folder, { recursive: true })
})

/** A build on a builder that has nothing; without signatures no image is used again as a whole. */
function build(...more: readonly string[]): Promise<Call & { readonly digest: string }> {
  return buildTarget('api', more)
}

async function buildTarget(
  target: string,
  more: readonly string[] = [],
): Promise<Call & { readonly digest: string }> {
  await builder.chill()
  const args = [
    ...['build-images', '--registry', `${registry.registry}/${place}`, '--targets', target],
    ...['--bake-file', join(folder, 'bake.hcl'), '--manifests', resolve('k8s')],
    ...['--builder', builder.name, '--vulnerability-db', lab.vulnerabilityDatabase],
    ...['--signing', 'none', ...more],
  ]
  const call = await todoDeploy(args, { GIT_DIR: join(folder, '.git') })
  return { ...call, digest: textAt(call.report, 'images', target, 'digest') ?? '' }
}

const ofCache = (path: string) => path.startsWith(`/v2/${place}/cache/`)

describe('the layers of an image, on a builder that has nothing', () => {
  let first = ''

  it('are kept in the registry by a build that is published', async () => {
    const call = await build()
    expect(call.stderr).toContain('Keep the layers for later builds')
    expect(call.stderr).not.toContain('cache was not written')
    expect(call.status).toBe(0)
    first = call.digest
  })

  it('come out of it again: the same image, whose random step did not run', async () => {
    const call = await build()
    expect(call.digest).toBe(first)
    expect(call.status).toBe(0)
  })

  it('come out of it for the steps before a change', async () => {
    await writeFile(join(folder, 'file'), 'b')
    const { digest } = await build('--push', 'false')
    await writeFile(join(folder, 'file'), 'a')
    expect(digest).not.toBe(first)
    expect((await build('--push', 'false')).digest).toBe(first)
  })

  it('come out of it on each of several platforms', async () => {
    const several = await buildTarget('several')
    expect(several.stderr).not.toContain('cache was not written')
    expect((await buildTarget('several')).digest).toBe(several.digest)
    expect((await buildTarget('several', ['--cache', 'none'])).digest).not.toBe(several.digest)
  })

  it('are built anew where no cache is wanted', async () => {
    expect((await build('--cache', 'none', '--push', 'false')).digest).not.toBe(first)
  })
})

describe('a cache that fails', () => {
  it('is said, and all is built, where its registry answers with an error', async () => {
    registry.decide((_method, path) => (ofCache(path) ? 500 : 'pass'))
    const call = await build()
    expect(call.stderr).toMatch(/! The build cache can't be read, so that all is built: .*500/)
    expect(call.status).toBe(0)
  })

  it('is said, and all is built, where its registry never answers', async () => {
    registry.decide((_method, path) => (ofCache(path) ? 'hang' : 'pass'))
    const call = await build('--push', 'false')
    expect(call.stderr).toMatch(/The build cache can't be read, so that all is built: no answer/)
    expect(call.status).toBe(0)
  })

  it('does not stop a build whose layers in it are gone', async () => {
    registry.decide((_method, path) => (ofCache(path) && path.includes('/blobs/') ? 404 : 'pass'))
    const call = await build('--push', 'false')
    expect(call.stderr).toContain('▸ Build 1 image')
    expect(call.status).toBe(0)
  })

  it('does not stop a build whose layers break off while they are read', async () => {
    let asked = 0
    // The description of the cache can still be had, what it describes can't.
    registry.decide((method, path) => {
      if (!ofCache(path) || !path.includes('/blobs/') || method !== 'GET') return 'pass'
      asked += 1
      return asked > 1 ? 404 : 'pass'
    })
    const call = await build('--push', 'false')
    expect(asked).toBeGreaterThan(1)
    expect(call.status).toBe(0)
  })

  it('is said where it can not be written, when the release is there already', async () => {
    registry.decide((method, path) => (ofCache(path) && method !== 'GET' ? 403 : 'pass'))
    const call = await build()
    expect(call.stderr).toMatch(/The build cache was not written, .*403/)
    expect(call.status).toBe(0)
  })
})
