import { describe, expect, it } from '@jest/globals'
import { emptyPicture } from '../../cluster/watch.ts'
import { readinessOf } from './readiness.ts'

type Status = Readonly<Record<string, unknown>>
type Case = {
  readonly name: string
  readonly state: string
  readonly says?: string
  readonly status?: Status
  readonly spec?: unknown
}

function stateOf(kind: string, { status, spec = {} }: Case): { state: string; detail: string } {
  const object = { apiVersion: 'v1', kind, metadata: { name: 'web' } }
  const live = { metadata: { name: 'web', generation: 2 }, spec, status }
  return readinessOf(object, { ...emptyPicture, [kind]: [live] })
}

const seen = { observedGeneration: 2 }
const condition = (type: string, more: object = {}) => ({
  conditions: [{ type, status: 'True', ...more }],
})
const two = { replicas: 2 }

describe('a Deployment', () => {
  const all = { ...seen, replicas: 2, updatedReplicas: 2, availableReplicas: 2 }
  const late = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }
  it.each<Case>([
    { name: 'all of its pods are new and available', spec: two, status: all, state: 'ready' },
    {
      name: 'its controller has seen an older generation',
      spec: two,
      status: { ...all, observedGeneration: 1 },
      state: 'waiting',
    },
    {
      name: 'its controller has said nothing yet',
      spec: two,
      status: { ...all, observedGeneration: undefined },
      state: 'waiting',
    },
    {
      name: 'one pod is still to be made',
      spec: two,
      status: { ...all, updatedReplicas: 1 },
      state: 'waiting',
      says: '1 of 2 pods are of this revision',
    },
    {
      name: 'an old pod is left',
      spec: two,
      status: { ...all, replicas: 3 },
      state: 'waiting',
      says: '1 pods of the old revision left',
    },
    {
      name: 'one pod is not available',
      spec: two,
      status: { ...all, availableReplicas: 1 },
      state: 'waiting',
      says: '1 of 2 pods available',
    },
    {
      name: 'it is paused',
      spec: { ...two, paused: true },
      status: all,
      state: 'failed',
      says: 'it is paused',
    },
    {
      name: 'its progress deadline passed',
      spec: two,
      status: { ...all, conditions: [late] },
      state: 'failed',
      says: 'progressDeadlineSeconds',
    },
    { name: 'it is wanted nowhere', spec: { replicas: 0 }, status: seen, state: 'ready' },
  ])('is $state where $name', (given) => {
    const { state, detail } = stateOf('Deployment', given)
    expect(state).toBe(given.state)
    expect(detail).toContain(given.says ?? '')
  })
})

describe('a StatefulSet', () => {
  const all = { ...seen, updatedReplicas: 2, readyReplicas: 2 }
  const partition = { ...two, updateStrategy: { rollingUpdate: { partition: 1 } } }
  const onDelete = { ...two, updateStrategy: { type: 'OnDelete' } }
  it.each<Case>([
    { name: 'all of its pods are new and ready', spec: two, status: all, state: 'ready' },
    {
      name: 'its controller has said nothing yet',
      spec: two,
      status: { ...all, observedGeneration: undefined },
      state: 'waiting',
    },
    {
      name: 'a pod is of the old revision',
      spec: two,
      status: { ...all, updatedReplicas: 1 },
      state: 'waiting',
    },
    {
      name: 'that pod is below its partition',
      spec: partition,
      status: { ...all, updatedReplicas: 1 },
      state: 'ready',
    },
    {
      name: 'it is updated by hand only',
      spec: onDelete,
      status: { ...all, updatedReplicas: 0 },
      state: 'ready',
    },
    {
      name: 'a pod is not ready',
      spec: two,
      status: { ...all, readyReplicas: 1 },
      state: 'waiting',
    },
  ])('is $state where $name', (given) => {
    expect(stateOf('StatefulSet', given).state).toBe(given.state)
  })
})

describe('a DaemonSet', () => {
  const all = { ...seen, desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2 }
  it.each<Case>([
    { name: 'it is new and available on every node', status: all, state: 'ready' },
    {
      name: 'one node has the old pod',
      status: { ...all, updatedNumberScheduled: 1 },
      state: 'waiting',
    },
    {
      name: 'it is not available on one node',
      status: { ...all, numberAvailable: 1 },
      state: 'waiting',
    },
  ])('is $state where $name', (given) => {
    expect(stateOf('DaemonSet', given).state).toBe(given.state)
  })
})

describe('a Job', () => {
  it.each<Case>([
    { name: 'it is complete', status: condition('Complete'), state: 'ready' },
    { name: 'it runs', status: { active: 1 }, state: 'waiting' },
    { name: 'it has no status yet', state: 'waiting' },
    {
      name: 'it failed',
      status: condition('Failed', { message: 'BackoffLimitExceeded' }),
      state: 'failed',
      says: 'BackoffLimitExceeded',
    },
  ])('is $state where $name', (given) => {
    const { state, detail } = stateOf('Job', given)
    expect(state).toBe(given.state)
    expect(detail).toContain(given.says ?? '')
  })
})

describe('a Service', () => {
  const service = (spec: unknown) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec,
  })
  const slice = (name: string, ready: boolean) => ({
    metadata: { labels: { 'kubernetes.io/service-name': name } },
    endpoints: [{ conditions: { ready } }],
  })
  const selecting = { selector: { app: 'web' } }
  it.each([
    {
      name: 'a pod behind it is ready',
      spec: selecting,
      slices: [slice('web', false), slice('web', true)],
      state: 'ready',
    },
    {
      name: 'no pod behind it is ready',
      spec: selecting,
      slices: [slice('web', false)],
      state: 'waiting',
    },
    {
      name: 'only another Service has pods',
      spec: selecting,
      slices: [slice('api', true)],
      state: 'waiting',
    },
    { name: 'it selects nothing', spec: {}, slices: [], state: 'ready' },
    {
      name: 'it is a name for another host',
      spec: { type: 'ExternalName', ...selecting },
      slices: [],
      state: 'ready',
    },
  ])('is $state where $name', ({ spec, slices, state }) => {
    expect(readinessOf(service(spec), { ...emptyPicture, EndpointSlice: slices }).state).toBe(state)
  })
})

describe('an object that is written and not there', () => {
  it.each(['Deployment', 'StatefulSet', 'DaemonSet', 'Job'])('is waited for as a %s', (kind) => {
    const object = { apiVersion: 'v1', kind, metadata: { name: 'web' } }
    expect(readinessOf(object, emptyPicture).state).toBe('waiting')
  })
})

describe('what the External Secrets operator looks after', () => {
  const synced = (generation: number) => ({ syncedResourceVersion: `${generation}-0a1b2c` })
  const refused = condition('Ready', { status: 'False', reason: 'InvalidProviderConfig' })
  it.each<Case & { readonly kind: string }>([
    {
      kind: 'ExternalSecret',
      name: 'its newest generation was read',
      status: { ...synced(2), ...condition('Ready') },
      state: 'ready',
    },
    {
      kind: 'ExternalSecret',
      name: 'an older generation was read',
      status: { ...synced(1), ...condition('Ready') },
      state: 'waiting',
    },
    {
      kind: 'ExternalSecret',
      name: 'it failed, for that is no end',
      status: { ...synced(2), ...refused },
      state: 'waiting',
      says: 'InvalidProviderConfig',
    },
    { kind: 'SecretStore', name: 'it is valid', status: condition('Ready'), state: 'ready' },
    {
      kind: 'SecretStore',
      name: 'nobody can log in',
      status: refused,
      state: 'waiting',
      says: 'InvalidProviderConfig',
    },
  ])('is $state for a $kind where $name', ({ kind, ...given }) => {
    const { state, detail } = stateOf(kind, given)
    expect(state).toBe(given.state)
    expect(detail).toContain(given.says ?? '')
  })
})
