import { beforeAll, describe, expect, it } from '@jest/globals'
import { at, listAt, textAt } from '../../src/json.ts'
import {
  buildFlags,
  cluster,
  demoRelease,
  runningDigests,
  start,
  statusOf,
  todoDeploy,
} from './lab.ts'

/** The application's own knob for its start command makes a release whose backend really crashes. */
const CRASH = 'python3 -m a_module_that_is_missing'

let crashing = ''
let good = ''
let before: Readonly<Record<string, string>> = {}

beforeAll(async () => {
  good = await demoRelease()
  before = await runningDigests('todo-app-dev')
  const call = await todoDeploy(['build-images', ...buildFlags], { BACKEND_COMMAND: CRASH })
  crashing = textAt(call.report, 'release') ?? ''
  expect(crashing).not.toBe(good)
})

describe('a release whose backend crashes', () => {
  it('is rolled back, with the cause and the last words of the container', async () => {
    const call = await todoDeploy(['deploy', '--environment', 'dev', '--release', crashing])
    expect(call.status).toBe(3)
    expect(call.firstLine).toMatch(
      /^dev: rolled-back. Deployment todo-app-dev\/backend will not become ready: its container exits with status 1/,
    )
    expect(call.stderr).toContain('No module named a_module_that_is_missing')
    expect(call.report).toMatchObject({ outcome: 'rolled-back', cause: 'crash-loop' })
  })

  it('leaves the good release as it was, ready and with nothing of the failed one', async () => {
    expect(await runningDigests('todo-app-dev')).toEqual(before)
    const again = await todoDeploy(['deploy', '--environment', 'dev', '--release', good])
    expect(again.report).toMatchObject({ outcome: 'unchanged' })
  })

  it('is not promoted, for it was never verified', async () => {
    const staging = await runningDigests('todo-app-staging')
    const call = await todoDeploy([
      ...['promote', '--from', 'dev', '--to', 'staging', '--release', crashing],
    ])
    expect(call.status).toBe(2)
    expect(call.firstLine).toMatch(
      /may not go on: it was never verified in dev; run verify there first/,
    )
    expect(await runningDigests('todo-app-staging')).toEqual(staging)
  })

  it('leaves nothing behind where there was no release before', async () => {
    const namespace = 'todo-app-preview-first'
    const call = await todoDeploy([
      ...['preview', '--command', 'up', '--name', 'first', '--release', crashing],
    ])
    expect(call.status).toBe(3)
    expect(call.firstLine).toMatch(
      /There was no earlier release: what this deploy created is removed/,
    )
    const api = await cluster()
    const left = await api.call({
      method: 'GET',
      path: `/apis/apps/v1/namespaces/${namespace}/deployments`,
    })
    expect(listAt(left.body, 'items')).toEqual([])
    await todoDeploy(['preview', '--command', 'down', '--name', 'first'])
    expect(await statusOf(`/api/v1/namespaces/${namespace}`)).toBe(404)
  })
})

describe('a deploy that is killed half-way', () => {
  it('is taken over by the next one, which ends well', async () => {
    const child = start(['deploy', '--environment', 'dev', '--release', crashing])
    await new Promise<void>((resolve) => {
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        if (chunk.includes('Roll out workloads')) resolve()
      })
    })
    child.kill('SIGKILL')
    const call = await todoDeploy(['deploy', '--environment', 'dev', '--release', good])
    expect(call.status).toBe(0)
    expect(call.stderr).toContain('did not end')
    expect(call.report).toMatchObject({ outcome: 'deployed' })
    expect(await runningDigests('todo-app-dev')).toEqual(before)
    const verdict = await todoDeploy(['verify', '--environment', 'dev'])
    expect(at(verdict.report, 'verdict')).toBe('pass')
  })
})
