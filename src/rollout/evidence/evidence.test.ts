import { describe, expect, it } from '@jest/globals'
import { fakeCluster } from '../../../tests/fakes/cluster.ts'
import { answer } from '../../../tests/fakes/cluster.ts'
import { collectEvidence } from './evidence.ts'
import { maskerOf, openMask } from './mask.ts'

const password = 'correct-horse'
const encoded = Buffer.from(password).toString('base64')
const cause = {
  code: 'crash-loop',
  text: 'it crashes',
  remedy: 'mend it',
  pod: 'web-1',
  container: 'main',
} as const
const failure = { object: 'Deployment todo/web', cause, namespace: 'todo', mask: maskerOf([]) }

describe('the evidence of a failure', () => {
  it('has the last words and the events, without any value of a Secret', async () => {
    const cluster = fakeCluster({
      '/api/v1/namespaces/todo/secrets/todo': {
        ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'todo' } },
        data: { PASSWORD: encoded },
      },
      '/api/v1/namespaces/todo/events/1': {
        ...{ apiVersion: 'v1', kind: 'Event', metadata: { name: '1' } },
        ...{ reason: 'BackOff', message: `env ${encoded}` },
      },
    })
    cluster.intercept = ({ path }) =>
      path.includes('/log?')
        ? answer(200, `connecting\nlogin with ${password} failed\n`)
        : undefined
    const mask = await openMask('todo', cluster)
    expect(await collectEvidence({ ...failure, mask }, cluster)).toEqual({
      object: 'Deployment todo/web',
      logs: ['connecting', 'login with *** failed'],
      events: ['BackOff: env ***'],
    })
  })

  it('comes from the container that crashed, and from the running one where there was none', async () => {
    const cluster = fakeCluster()
    const asked: string[] = []
    cluster.intercept = ({ path }) => {
      if (!path.includes('/log?')) return undefined
      asked.push(path)
      return path.includes('previous=true') ? answer(400, 'no previous') : answer(200, 'waiting\n')
    }
    expect((await collectEvidence(failure, cluster)).logs).toEqual(['waiting'])
    expect(asked[0]).toBe(
      '/api/v1/namespaces/todo/pods/web-1/log?container=main&tailLines=20&previous=true',
    )
  })

  it('has nothing that could hold a Secret where Secrets can not be read', async () => {
    const cluster = fakeCluster()
    cluster.intercept = ({ path }) =>
      path.endsWith('/secrets') ? answer(403, { message: 'secrets is forbidden' }) : undefined
    const mask = await openMask('todo', cluster)
    expect(await collectEvidence({ ...failure, mask }, cluster)).toEqual({
      object: 'Deployment todo/web',
      logs: [],
      events: [
        "left out, since the Secrets of todo can't be read to mask them: secrets is forbidden",
      ],
    })
  })

  it('has what an operator warned of, the newest last and each in one line', async () => {
    const event = (name: string, lastTimestamp: string, message: string) => ({
      ...{ apiVersion: 'v1', kind: 'Event', metadata: { name } },
      ...{ lastTimestamp, reason: 'UpdateFailed', message },
    })
    const cluster = fakeCluster({
      '/api/v1/namespaces/todo/events/1': event(
        '1',
        '2026-11-21T12:00:09Z',
        'Code: 403\n\n* denied',
      ),
      '/api/v1/namespaces/todo/events/2': event('2', '2026-11-21T12:00:03Z', 'no route'),
    })
    const subject = { kind: 'ExternalSecret', name: 'todo-secrets' }
    const refused = {
      code: 'secret-store-failed',
      text: 'no values',
      remedy: 'look',
      subject,
    } as const
    const { events } = await collectEvidence({ ...failure, cause: refused }, cluster)
    expect(events).toEqual(['UpdateFailed: no route', 'UpdateFailed: Code: 403 * denied'])
  })

  it('is empty where no pod was made', async () => {
    const none = {
      ...failure,
      cause: { code: 'quota-exceeded', text: 'quota', remedy: 'ask for less' },
    } as const
    expect(await collectEvidence(none, fakeCluster())).toMatchObject({ logs: [], events: [] })
  })
})
