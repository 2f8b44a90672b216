import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { listAt, parseJson, textAt } from '../../src/json.ts'
import { REGISTRY } from '../e2e/lab.ts'
import { addressOf, answers, docker, environment, secondsUntil, start, sweep } from './docker.ts'
import { recordFact } from './facts.ts'
import { build, forgetPages, publishBases, sizeOf } from './imagebuild.ts'
import {
  isDatabaseReady,
  memory,
  ports,
  RUN,
  settings,
  shutDown,
  startStack,
  waitUntilReady,
} from './running.ts'

/** Megabytes above the base that an image may have, and its base. */
const images = {
  frontend: { most: 60, base: 'node' },
  backend: { most: 60, base: 'python' },
  'mcp-server': { most: 60, base: 'python' },
  'ai-agent': { most: 100, base: 'python' },
  database: { most: 1, base: 'postgres' },
  'local-model': { most: 1, base: 'python' },
} as const
type Name = keyof typeof images
const names = Object.keys(images) as Name[]
const bases = {
  node: 'node:24-alpine',
  python: 'python:3.11-slim',
  postgres: 'postgres:15-bookworm',
}
const START_S = 30
const GRACE_S = 40
/** What a page of figures may be off before it has to be written again. */
const TOLERANCE = 0.05

const digests = new Map<string, string>()
const baseNames = new Map<string, string>()
const image = (name: string) => `${REGISTRY}/${name}@${digests.get(name) ?? ''}`
let isCold = false

beforeAll(async () => {
  sweep(RUN)
  for (const [name, digest] of await build(names, { publish: true })) digests.set(name, digest)
  for (const [key, name] of await publishBases(bases)) baseNames.set(key, name)
  for (const name of baseNames.values()) await docker('pull', '--quiet', name)
  for (const name of names) await docker('pull', '--quiet', image(name))
  isCold = forgetPages()
}, 600_000)

afterAll(() => {
  sweep(RUN)
})

describe('a container starts in time, with nothing to write to and nothing allowed', () => {
  test.each(names)('%s', async (name) => {
    const cold = await startOnce(name)
    const warm = await startOnce(name)
    recordFact('images', name, {
      [isCold ? 'start cold s' : 'start after pull s']: cold.toFixed(1),
      'start warm s': warm.toFixed(1),
    })
    expect(cold).toBeLessThan(START_S)
    expect(warm).toBeLessThan(START_S)
  })
})

/** Seconds from the start of a new container, without any other service, to the first good answer on its health path. */
async function startOnce(name: Name): Promise<number> {
  const container = `${RUN}-start`
  const port = ports[name]
  const began = performance.now()
  await start({
    ...{ name: container, image: image(name), env: settings[name] ?? {} },
    ...{ memory: memory[name] ?? [], ports: port === undefined ? [] : [port] },
    // Where a shell would be, there is nothing that can be run; the database's own programs need one.
    volumes: name === 'database' ? [] : ['/bin/sh', '/bin/bash'].map((at) => `/dev/null:${at}:ro`),
  })
  if (port === undefined) await secondsUntil(isDatabaseReady(container), START_S)
  else {
    const path = name === 'frontend' ? '/api/health' : '/health'
    const address = await addressOf(container, port)
    await secondsUntil(() => answers(`${address}${path}`), START_S)
  }
  const seconds = (performance.now() - began) / 1000
  await docker('rm', '--force', '--volumes', container)
  return seconds
}

test.each(names)('%s is as small as it should be, and says what it is', async (name) => {
  const { most, base } = images[name]
  const size = await sizeOf(image(name), baseNames.get(base) ?? '')
  recordFact('images', name, {
    'size MB': size.whole.toFixed(0),
    'own MB': size.own.toFixed(1),
    'own packed MB': size.ownPacked.toFixed(1),
  })
  expect(size.own).toBeLessThanOrEqual(most)
  const row = new RegExp(`^\\| \`${name}\` \\| ([\\d.]+) \\| ([\\d.]+) \\|`, 'm')
  const [, own = '', packed = ''] = row.exec(readFileSync('docs/images.md', 'utf8')) ?? []
  const written = `docs/images.md must say: | \`${name}\` | ${size.own.toFixed(1)} | ${size.ownPacked.toFixed(1)} |`
  const isNear = (said: string, is: number) =>
    Math.abs(Number(said) - is) <= Math.max(TOLERANCE * is, 0.1)
  expect([written, isNear(own, size.own), isNear(packed, size.ownPacked)]).toEqual([
    written,
    true,
    true,
  ])
})

test.each(names)(
  '%s runs as a number, has no health check and no value of a secret',
  async (name) => {
    const config: unknown = listAt(
      parseJson(await docker('image', 'inspect', image(name)), name),
    )[0]
    expect(textAt(config, 'Config', 'User')).toBe('10001:10001')
    expect(textAt(config, 'Config', 'Labels', 'org.opencontainers.image.title')).toBe(
      `todo ${name}`,
    )
    expect(config).not.toHaveProperty('Config.Healthcheck')
    const history = await docker('history', '--no-trunc', '--format', '{{.CreatedBy}}', image(name))
    const said = `${JSON.stringify(config)}\n${history}`
    for (const secret of ['DATABASE_URL', 'AUTH_SECRET', 'OPENAI_API_KEY', 'POSTGRES_PASSWORD'])
      expect(said).not.toContain(`${secret}=`)
  },
)

describe('SIGTERM while requests are under way loses none', () => {
  beforeAll(async () => {
    await startStack(image, ['frontend'])
  }, 120_000)

  test.each(['frontend', 'backend', 'mcp-server', 'ai-agent'])('%s', async (name) => {
    const end = await shutDown(name, image).finally(() => docker('start', `${RUN}-${name}`))
    await waitUntilReady(name)
    const lost = Object.values(end.lost).reduce((sum, count) => sum + count, 0)
    recordFact('images', name, { 'requests lost': `${lost} of ${end.answered + lost}` })
    expect(end.lost).toEqual({})
    expect(end.answered).toBeGreaterThan(20)
    expect(end.status).toBe('0')
    expect(end.seconds).toBeLessThan(GRACE_S)
  })

  test('database: what was committed is there, and nothing had to be recovered', async () => {
    const container = `${RUN}-database`
    const sql = (text: string) =>
      docker(
        ...['exec', '--env', 'PGPASSWORD=made-up', container],
        ...['psql', '-XAtq', '-h', '127.0.0.1', '-U', 'todo', '-d', 'todo', '-c', text],
      )
    await sql('CREATE TABLE kept AS SELECT generate_series(1, 50000) AS id')
    await docker('stop', '--time', '40', container)
    expect(await docker('inspect', '--format', '{{.State.ExitCode}}', container)).toBe('0')
    await docker('start', container)
    await secondsUntil(isDatabaseReady(container), START_S)
    expect(await sql('SELECT count(*) FROM kept')).toBe('50000')
    const { stderr: log } = spawnSync('docker', ['logs', container], {
      env: environment,
      encoding: 'utf8',
    })
    expect(log).toContain('database system was shut down at')
    expect(log).not.toMatch(/automatic recovery|was interrupted/)
    recordFact('images', 'database', { 'requests lost': 'clean shutdown' })
  })
})

test('built again without any cache, every image has the same digest', async () => {
  const again = await build(names, { flags: ['--no-cache'] })
  for (const name of names)
    recordFact('images', name, {
      reproducible: again.get(name) === digests.get(name) ? 'yes' : 'no',
    })
  expect(Object.fromEntries(again)).toEqual(Object.fromEntries(digests))
}, 900_000)
