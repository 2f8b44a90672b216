import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { listAt, textAt } from '../../src/json.ts'
import { cluster } from '../e2e/lab.ts'
import { testPrograms } from '../programs.ts'
import { recordFact } from './facts.ts'
import { forward, type Forward } from './forward.ts'

const NAMESPACE = 'todo-app-dev'
const SUITE = 'tests/test_stack.py'
const OUT = resolve('out', 'stack')
const LIMIT_MS = 240_000
const forwards: Forward[] = []

afterAll(() => {
  for (const { close } of forwards) close()
})

test('M7: the stack gives the same results as plain processes and in the cluster', async () => {
  mkdirSync(OUT, { recursive: true })
  const plain = runSuite('plain', ['bash', 'app/test.sh', testPrograms.venv], {})
  const pytest = [join(testPrograms.venv, 'bin', 'python'), '-m', 'pytest', '--rootdir', 'app']
  const inCluster = runSuite('cluster', pytest, await addressesInCluster())
  recordFact('behaviour', 'API, MCP, chat', {
    'plain processes': summarize(plain),
    cluster: summarize(inCluster),
  })
  expect(plain.size).toBeGreaterThan(10)
  expect([...plain.values()].every((result) => result === 'passed')).toBe(true)
  expect(Object.fromEntries(inCluster)).toEqual(Object.fromEntries(plain))
})

/** Runs the application's own suite and returns the result of each of its tests. */
function runSuite(
  name: string,
  [command = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): ReadonlyMap<string, string> {
  const report = join(OUT, `${name}.xml`)
  const suite = command === 'bash' ? SUITE : join('app', SUITE)
  const { stdout, stderr } = spawnSync(command, [...args, suite, `--junitxml=${report}`], {
    env: { ...process.env, ...env, PYTHONPATH: resolve('app') },
    encoding: 'utf8',
    timeout: LIMIT_MS,
  })
  const results = resultsOf(readFileSync(report, 'utf8'))
  if ([...results.values()].some((result) => result !== 'passed'))
    process.stderr.write(`${stdout}\n${stderr}\n`)
  return results
}

/** What pytest's JUnit file says of each test: `passed`, `failure`, `error` or `skipped`. */
function resultsOf(xml: string): ReadonlyMap<string, string> {
  const cases = [...xml.matchAll(/<testcase\s[^>]*?\bname="([^"]+)"[^>]*?(\/>|>\s*<(\w+)?)/g)]
  return new Map(
    cases.map(([, name = '', , child]) => [
      name,
      child === undefined || child.startsWith('system') || child === 'properties'
        ? 'passed'
        : child,
    ]),
  )
}

function summarize(results: ReadonlyMap<string, string>): string {
  const passed = [...results.values()].filter((result) => result === 'passed').length
  return `${passed} of ${results.size} passed`
}

async function addressesInCluster(): Promise<Readonly<Record<string, string>>> {
  const open = async (service: string, port: number): Promise<number> => {
    const opened = await forward(NAMESPACE, service, port)
    forwards.push(opened)
    return opened.port
  }
  const secret = await secretValues()
  const database = new URL(secret('DATABASE_URL'))
  database.hostname = '127.0.0.1'
  database.port = String(await open('postgresql-service', 5432))
  return {
    TODO_BACKEND_URL: `http://127.0.0.1:${await open('backend-service', 8000)}`,
    TODO_MCP_URL: `http://127.0.0.1:${await open('mcp-service', 8001)}`,
    TODO_AGENT_URL: `http://127.0.0.1:${await open('ai-agent-service', 8002)}`,
    TODO_FRONTEND_URL: `http://127.0.0.1:${await open('frontend-service', 3000)}`,
    TODO_AUTH_SECRET: secret('AUTH_SECRET'),
    TODO_DATABASE_URL: database.href,
  }
}

/** The Secret that the running backend was started with: its name carries a hash of its content. */
async function secretValues(): Promise<(key: string) => string> {
  const api = await cluster()
  const path = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/backend`
  const deployment = (await api.call({ method: 'GET', path })).body
  const volumes = listAt(deployment, 'spec', 'template', 'spec', 'volumes')
  const name = volumes.map((volume) => textAt(volume, 'secret', 'secretName')).find(Boolean)
  const secretPath = `/api/v1/namespaces/${NAMESPACE}/secrets/${name ?? ''}`
  const secret = (await api.call({ method: 'GET', path: secretPath })).body
  return (key) => Buffer.from(textAt(secret, 'data', key) ?? '', 'base64').toString()
}
