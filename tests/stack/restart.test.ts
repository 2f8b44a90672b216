import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { at, listAt, parseJson, textAt } from '../../src/json.ts'
import { waitFor } from './backupbench.ts'
import { type DataStage, openDataStage } from './datastage.ts'
import { recordFact } from './facts.ts'
import { type Forward, forward } from './forward.ts'
import { kubectl } from './run.ts'

const NAMESPACE = 'todo-stack-restart'
const PAUSE_MS = 150
/** What a client of a service would bear, and more than the 5 seconds that a request waits for a connection. */
const PATIENCE_MS = 10_000
const RECOVERY_S = 15
const USER = '00000000-0000-0000-0000-000000000000'

let stage: DataStage
let doors: readonly [backend: Forward, mcp: Forward]
let token: string

beforeAll(async () => {
  stage = await openDataStage(NAMESPACE)
  await stage.start('postgresql', 'database-migrate')
  await Promise.all([stage.start('backend'), stage.start('mcp-server')])
  doors = await Promise.all([
    forward(NAMESPACE, 'backend-service', 8000),
    forward(NAMESPACE, 'mcp-service', 8001),
  ])
  const body = JSON.stringify({ email: 'ada@example.org', password: 'correct horse battery' })
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${address(0)}/api/auth/sign-up`, { method: 'POST', headers, body })
  token = textAt(await answer.json(), 'token') ?? ''
}, 280_000)

afterAll(async () => {
  for (const { close } of doors) close()
  await stage.close()
})

const address = (service: 0 | 1): string => `http://127.0.0.1:${doors[service].port}`

type Sample = {
  readonly at: number
  readonly ms: number
  readonly status: number
  readonly good: boolean
}

async function sample(url: string, init: RequestInit = {}): Promise<Sample> {
  const started = Date.now()
  const measure = (status: number, good: boolean): Sample => ({
    ...{ at: started, ms: Date.now() - started, status, good },
  })
  try {
    const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) })
    const text = await answer.text()
    // A tool that fails says so inside of a good answer.
    return measure(answer.status, answer.ok && !text.includes('"isError":true'))
  } catch {
    return measure(0, false)
  }
}

/** Asks again and again, one request after the other, until it is told to stop. */
function keepAsking(
  url: string,
  signal: AbortSignal,
  init: RequestInit = {},
): Promise<readonly Sample[]> {
  const samples: Sample[] = []
  const ask = async (): Promise<readonly Sample[]> => {
    while (!signal.aborted) {
      samples.push(await sample(url, init))
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
    return samples
  }
  return ask()
}

const tasks = (): RequestInit => ({ headers: { authorization: `Bearer ${token}` } })
const toolCall: RequestInit = {
  method: 'POST',
  headers: {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'X-User-Id': USER,
  },
  body: JSON.stringify({
    ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
    params: { name: 'list_tasks', arguments: {} },
  }),
}

/** Pods and how often each of their containers was started again. */
async function restarts(): Promise<string> {
  const args = [
    'get',
    'pods',
    '--selector',
    'app.kubernetes.io/name in (backend, mcp-server)',
    '--output',
    'json',
  ]
  const pods = listAt(parseJson(await kubectl(NAMESPACE, args), 'pods'), 'items')
  const states = pods.flatMap((pod) =>
    listAt(pod, 'status', 'containerStatuses').map(
      (status) => `${textAt(pod, 'metadata', 'name') ?? ''} ${String(at(status, 'restartCount'))}`,
    ),
  )
  return states.toSorted().join('\n')
}

async function scale(replicas: number): Promise<void> {
  await kubectl(NAMESPACE, ['scale', 'statefulset/postgresql', `--replicas=${replicas}`])
}

describe('when the pod of the database is killed under traffic', () => {
  it('services stay alive, say that they are not ready, answer at once, and recover by themselves', async () => {
    const before = await restarts()
    const end = new AbortController()
    const asked = Promise.all([
      keepAsking(`${address(0)}/health`, end.signal),
      keepAsking(`${address(1)}/health`, end.signal),
      keepAsking(`${address(0)}/ready`, end.signal),
      keepAsking(`${address(1)}/ready`, end.signal),
      keepAsking(`${address(0)}/api/tasks`, end.signal, tasks()),
      keepAsking(`${address(1)}/mcp`, end.signal, toolCall),
    ])
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    const killed = Date.now()
    // At the same time: one that ends by itself first is gone when it is to be killed, and one that is killed first comes again.
    const kill = ['delete', 'pod', 'postgresql-0', '--grace-period=0', '--force']
    await Promise.all([scale(0), kubectl(NAMESPACE, [...kill, '--ignore-not-found'])])
    await waitFor(async () => (await sample(`${address(0)}/ready`)).status === 503)
    // Longer than a request waits: what is shorter, nobody may notice at all.
    await new Promise((resolve) => setTimeout(resolve, 8_000))
    await scale(1)
    const status = ['rollout', 'status', 'statefulset/postgresql', '--timeout=100s']
    await kubectl(NAMESPACE, status, { seconds: 110 })
    const back = Date.now()
    await new Promise((resolve) => setTimeout(resolve, RECOVERY_S * 1000))
    end.abort()
    const [live1, live2, ready1, ready2, list, tools] = await asked

    for (const live of [live1, live2]) expect(statuses(live)).toEqual([200])
    for (const ready of [ready1, ready2]) expect(statuses(ready)).toEqual([200, 503])
    // In the way of the kill a request may be cut off, but is told so as every other one.
    expect(statuses(list)).toEqual([200, 503])
    expect(statuses(tools)).toEqual([200])
    expect(tools.some(({ good }) => !good)).toBe(true)
    const slowest = Math.max(...[...list, ...tools].map(({ ms }) => ms))
    expect(slowest).toBeLessThan(PATIENCE_MS)
    const recovered = Math.max(...[ready1, ready2, list, tools].map(lastFailure)) - back
    expect(recovered / 1000).toBeLessThan(RECOVERY_S - 2)
    // Who waits for readiness meets no failure any more.
    const ready = Math.max(lastFailure(ready1), lastFailure(ready2))
    const late = [...list, ...tools].filter(({ good, at }) => !good && at > ready)
    expect(late).toEqual([])
    expect(await restarts()).toBe(before)
    recordFact('database', 'database restart', {
      'seconds away': seconds(back - killed),
      'recovered seconds later': seconds(Math.max(recovered, 0)),
      'slowest answer': seconds(slowest),
      'container restarts': 0,
      'failed once ready': late.length,
    })
  }, 240_000)
})

const seconds = (ms: number): string => (ms / 1000).toFixed(1)

function statuses(samples: readonly Sample[]): readonly number[] {
  return [...new Set(samples.map(({ status }) => status))].toSorted()
}

function lastFailure(samples: readonly Sample[]): number {
  return Math.max(0, ...samples.filter(({ good }) => !good).map(({ at, ms }) => at + ms))
}

describe('when more requests come than there are connections', () => {
  const AT_ONCE = 40
  /** DATABASE_POOL_SIZE of k8s/base, for each of two workers. */
  const LIMIT = 6
  const ours = "FROM pg_stat_activity WHERE application_name = 'backend'"

  it('they wait for one, and the limit holds', async () => {
    // Nobody gets at the tasks for as long as this, and every connection is taken.
    const held = stage.sql('BEGIN; LOCK TABLE tasks; SELECT pg_sleep(3); COMMIT;')
    await waitFor(
      async () =>
        (await stage.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")) ===
        '1',
    )
    const asked = Promise.all(
      Array.from({ length: AT_ONCE }, () => sample(`${address(0)}/api/tasks`, tasks())),
    )
    const counts: number[] = []
    const counting = new AbortController()
    const counted = (async () => {
      while (!counting.signal.aborted)
        counts.push(Number(await stage.sql(`SELECT count(*) ${ours}`)))
    })()
    const answers = await asked
    counting.abort()
    await Promise.all([held, counted])
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: AT_ONCE }, () => 200))
    expect(Math.max(...counts)).toBeLessThanOrEqual(LIMIT)
    expect(Math.max(...counts)).toBeGreaterThan(1)
    recordFact('database', 'connection pool', {
      'requests at once': AT_ONCE,
      failed: 0,
      'connections at most': `${Math.max(...counts)} of ${LIMIT}`,
    })
  }, 120_000)
})
