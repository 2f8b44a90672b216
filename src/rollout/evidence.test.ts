import { describe, expect, it } from '@jest/globals'
import { fakeCluster } from '../../tests/fakes/cluster.ts'
import { answer } from '../../tests/fakes/cluster.ts'
import { collectEvidence, maskerOf } from './evidence.ts'

const password = 'correct-horse'
const encoded = Buffer.from(password).toString('base64')
const cause = { code: 'crash', text: 'it crashes', pod: 'web-1', container: 'main' } as const
const failure = { object: 'Deployment todo/web', cause, namespace: 'todo' }

describe('a masker', () => {
  it.each([
    {
      name: 'every place',
      values: ['hunter22'],
      text: 'hunter22 and hunter22',
      masked: '*** and ***',
    },
    {
      name: 'the longer of two first',
      values: ['secret', 'secret-two'],
      text: 'secret-two',
      masked: '***',
    },
    {
      name: 'text that looks like a pattern',
      values: ['a.c$(b)*'],
      text: 'a.c$(b)* abc',
      masked: '*** abc',
    },
    { name: 'no ordinary words', values: ['on', ''], text: 'on and on', masked: 'on and on' },
  ])('hides $name', ({ values, text, masked }) => {
    expect(maskerOf(values)(text)).toBe(masked)
  })
})

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
    expect(await collectEvidence(failure, cluster)).toEqual({
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

  it('is empty where no pod was made', async () => {
    const none = { ...failure, cause: { code: 'admission', text: 'quota' } } as const
    expect(await collectEvidence(none, fakeCluster())).toMatchObject({ logs: [], events: [] })
  })
})
