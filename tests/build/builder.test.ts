import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { places } from '../../lab/places.ts'
import { lab, start, todoDeploy } from '../e2e/lab.ts'
import { testPrograms } from '../programs.ts'
import { type Distribution, startDistribution } from '../registry/distribution.ts'
import { buildArguments, type Product, writeProduct } from './product.ts'
import { NOTHING, publishedIn } from './published.ts'

const run = promisify(execFile)
const NAME = `todo-build-test-${process.pid}`
const CONTAINER = `buildx_buildkit_${NAME}0`
const START_MS = 120_000
/** Long enough that the builder goes while it runs, and bounded. */
const SLOW = 'FROM python:3.11-slim\nCOPY content /content\nRUN echo it has begun && sleep 60\n'

const env = { ...process.env, ...lab.environment }
const docker = async (...args: readonly string[]) =>
  (await run('docker', args, { env })).stdout.trim()

let buildx = ''
let registry: Distribution
let product: Product

/** A builder like the lab's, which a test may end. */
beforeAll(async () => {
  buildx = await testPrograms.tool('buildx')
  registry = await startDistribution('v3', 'open')
  product = await writeProduct({ slow: { dockerfile: SLOW } })
  const image = await docker(
    'inspect',
    '--format',
    '{{.Config.Image}}',
    `buildx_buildkit_${lab.builder}0`,
  )
  const options = ['--driver-opt', `image=${image}`, '--driver-opt', 'network=host']
  const settings = ['--buildkitd-config', join(places.lab, 'buildkitd.toml')]
  const create = ['create', '--name', NAME, '--driver', 'docker-container', ...options, ...settings]
  await run(buildx, [...create, '--bootstrap'], { env, timeout: START_MS })
}, START_MS)

afterAll(async () => {
  await run(buildx, ['rm', '--force', NAME], { env, timeout: START_MS })
  await registry.stop()
  await product.remove()
}, START_MS)

const build = () => buildArguments(product, registry.registry, '--builder', NAME)

describe('a builder', () => {
  it('that goes in the middle of a build is named as the cause, and nothing is published', async () => {
    const child = start(build())
    let said = ''
    const ended = new Promise<number>((resolve) => {
      child.on('close', (code) => {
        resolve(code ?? -1)
      })
    })
    const begun = new Promise<void>((resolve) => {
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        said += chunk
        if (/RUN echo it has begun/.test(said)) resolve()
      })
    })
    child.stdout.resume()
    await Promise.race([begun, ended])
    await docker('kill', '--signal', 'KILL', CONTAINER)
    const status = await ended
    const firstLine = said.split('\n').find((line) => /^[^\s▸✓!]/.test(line)) ?? ''
    expect(firstLine).toBe(
      'The builder went away in the middle of the build; look whether it runs with "docker buildx inspect", and run again',
    )
    expect(status).toBe(2)
    expect(await publishedIn(registry)).toMatchObject(NOTHING)
  })

  it('that does not exist is named', async () => {
    const call = await todoDeploy(buildArguments(product, registry.registry, '--builder', 'nobody'))
    expect(call.firstLine).toBe(
      'There is no builder "nobody"; "docker buildx ls" shows those there are',
    )
    expect(call.status).toBe(2)
    expect(await publishedIn(registry)).toMatchObject(NOTHING)
  })
})
