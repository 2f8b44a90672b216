import { describe, expect, it } from '@jest/globals'
import { emptyPicture } from '../../cluster/watch.ts'
import { rowOf, workloadRows } from './row.ts'
import { failed, ready, waiting } from './verdict.ts'

const web = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'todo' },
}
const service = { ...web, apiVersion: 'v1', kind: 'Service' }

const condition = (type: string) => ({ type, status: 'True' })
const running = { state: { running: { startedAt: '2026-11-21T12:00:00Z' } } }
const starting = { state: { waiting: { reason: 'ContainerCreating' } } }
const event = (uid: string, reason: string) => ({ involvedObject: { uid }, reason })

/** A Deployment of two pods, the first of which is ready; the other one is as given. */
function picture(status: object, events: readonly unknown[] = []) {
  const owned = (uid: string) => ({ ownerReferences: [{ uid }] })
  const annotations = { 'deployment.kubernetes.io/revision': '2' }
  const pod = (uid: string, of: object) => ({ metadata: { uid, ...owned('set') }, status: of })
  const ok = { conditions: [condition('PodScheduled'), condition('Ready')] }
  return {
    ...emptyPicture,
    Deployment: [
      {
        metadata: { name: 'web', namespace: 'todo', uid: 'web', annotations },
        spec: { replicas: 2 },
        status: { updatedReplicas: 2, readyReplicas: 1, availableReplicas: 1 },
      },
    ],
    ReplicaSet: [{ metadata: { uid: 'set', annotations, ...owned('web') } }],
    Pod: [pod('one', { ...ok, containerStatuses: [running] }), pod('two', status)],
    Event: events,
  }
}

const placed = [condition('PodScheduled')]

describe('what a workload does, in words', () => {
  const cases: readonly {
    readonly words: string
    readonly status: object
    readonly events?: readonly unknown[]
  }[] = [
    { words: 'waiting for a node', status: {} },
    {
      words: 'pulling image',
      status: { conditions: placed, containerStatuses: [starting] },
      events: [event('two', 'Pulling')],
    },
    {
      words: 'starting',
      status: { conditions: placed, containerStatuses: [starting] },
      events: [event('two', 'Pulling'), event('two', 'Pulled'), event('one', 'Pulling')],
    },
    {
      words: 'preparing (init containers)',
      status: {
        conditions: placed,
        initContainerStatuses: [running],
        containerStatuses: [starting],
      },
    },
    { words: 'waiting for probe', status: { conditions: placed, containerStatuses: [running] } },
    {
      words: 'crashing, 2 restarts',
      status: {
        conditions: placed,
        containerStatuses: [
          { restartCount: 2, state: { waiting: { reason: 'CrashLoopBackOff' } } },
        ],
      },
    },
  ]
  it.each(cases)('says "$words" of the pod that is least far', ({ words, status, events = [] }) => {
    const row = rowOf(web, waiting('1 of 2 pods available'), picture(status, events))
    expect(row).toMatchObject({ doing: words, detail: '1 of 2 pods available' })
  })

  it('has the numbers of its pods', () => {
    const { pods, short } = rowOf(web, waiting('…'), picture({}))
    expect(pods).toEqual({ desired: 2, updated: 2, ready: 1, available: 1 })
    expect(short).toBe('Deployment/web')
  })

  it('says why it failed, and that it is ready, whatever its pods do', () => {
    const broken = rowOf(web, failed('paused', 'it is paused', 'resume it'), picture({}))
    expect(broken).toMatchObject({ state: 'failed', doing: 'it is paused' })
    expect(rowOf(web, ready('2 of 2'), picture({}))).toMatchObject({
      state: 'ready',
      doing: '2 of 2',
    })
  })

  it('has no pods where none run', () => {
    const row = rowOf(service, waiting('no endpoints'), picture({}))
    expect([row.pods, row.isWorkload, row.doing]).toEqual([undefined, undefined, 'no endpoints'])
    expect(workloadRows([service, web], picture({})).map(({ short }) => short)).toEqual([
      'Deployment/web',
    ])
  })
})

it('is one line, whatever others say in several', () => {
  const said = failed(
    'secret-store-failed',
    'it says:\n\n  Code: 403. Errors:\n* denied',
    'mend it',
  )
  const row = rowOf(web, said, emptyPicture)
  expect([row.detail, row.doing]).toEqual([
    'it says: Code: 403. Errors: * denied',
    'it says: Code: 403. Errors: * denied',
  ])
})
