import { describe, expect, it } from '@jest/globals'
import { emptyPicture, type Picture } from '../cluster/watch.ts'
import { type Cause, causeOf } from './causes.ts'

const REVISION = 'deployment.kubernetes.io/revision'
const now = new Date('2026-11-21T12:00:00Z')
const secondsAgo = (seconds: number) => new Date(now.getTime() - seconds * 1000).toISOString()
const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } }

const set = (uid: string, revision: string) => ({
  metadata: { uid, annotations: { [REVISION]: revision }, ownerReferences: [{ uid: 'web' }] },
})
const live = (conditions: readonly unknown[] = []) => ({
  metadata: { name: 'web', uid: 'web', generation: 2, annotations: { [REVISION]: '2' } },
  status: { observedGeneration: 2, conditions },
})

type Pod = {
  readonly age?: number
  readonly container?: unknown
  readonly init?: unknown
  readonly status?: object
  readonly owner?: { readonly uid: string; readonly kind?: string }
  readonly deletionTimestamp?: string
}

function podOf(given: Pod): unknown {
  const { age = 5, container, init, status, owner = { uid: 'new' }, deletionTimestamp } = given
  return {
    metadata: {
      ...{ name: 'web-1', creationTimestamp: secondsAgo(age), ownerReferences: [owner] },
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    status: {
      phase: 'Pending',
      initContainerStatuses: init === undefined ? [] : [init],
      containerStatuses: container === undefined ? [] : [container],
      ...status,
    },
  }
}

function causeOfPod(pod: Pod, conditions: readonly unknown[] = []): Cause | undefined {
  const picture: Picture = {
    ...emptyPicture,
    Deployment: [live(conditions)],
    ReplicaSet: [set('old', '1'), set('new', '2')],
    Pod: [podOf(pod)],
  }
  return causeOf(object, picture, now)
}

const waiting = (reason: string, message = '') => ({
  ...{ name: 'main', image: 'ghcr.io/todo/web', ready: false, restartCount: 0 },
  state: { waiting: { reason, message } },
})
const ended = (restartCount: number, reason = 'Error', exitCode = 1) => ({
  ...{ name: 'main', ready: false, restartCount },
  state: { waiting: { reason: 'CrashLoopBackOff' } },
  lastState: { terminated: { reason, exitCode } },
})

describe('the cause of a failure', () => {
  it.each<{ name: string; code: string; says: string; pod: Pod }>([
    {
      name: 'a container that crashes again and again',
      code: 'crash',
      says: 'exits with status 1 (2 restarts)',
      pod: { container: ended(2) },
    },
    {
      name: 'an init container that does',
      code: 'crash',
      says: 'exits with status 7',
      pod: { init: ended(3, 'Error', 7) },
    },
    {
      name: 'a container that ends well again and again',
      code: 'crash',
      says: 'exits with status 0',
      pod: { container: ended(3, 'Completed', 0) },
    },
    {
      name: 'a container above its memory',
      code: 'out-of-memory',
      says: 'raise the limit',
      pod: { container: ended(3, 'OOMKilled', 137) },
    },
    {
      name: 'an image that does not exist',
      code: 'image',
      says: 'manifest unknown',
      pod: { container: waiting('ErrImagePull', 'manifest unknown') },
    },
    {
      name: 'an image that is not for us',
      code: 'image',
      says: 'unauthorized',
      pod: { container: waiting('ImagePullBackOff', 'pull: unauthorized') },
    },
    {
      name: 'a registry that is away for long',
      code: 'image',
      says: 'connection refused',
      pod: { age: 90, container: waiting('ImagePullBackOff', 'connection refused') },
    },
    {
      name: 'an image name that is none',
      code: 'image',
      says: 'ghcr.io/todo/web',
      pod: { container: waiting('InvalidImageName') },
    },
    {
      name: 'a Secret that is missing',
      code: 'configuration',
      says: 'secret "todo" not found',
      pod: { container: waiting('CreateContainerConfigError', 'secret "todo" not found') },
    },
    {
      name: 'a program that is missing',
      code: 'configuration',
      says: 'no such file',
      pod: { container: waiting('RunContainerError', 'exec: no such file') },
    },
    {
      name: 'a pod that failed',
      code: 'pod',
      says: 'UnexpectedAdmissionError',
      pod: { status: { phase: 'Failed', reason: 'UnexpectedAdmissionError' } },
    },
  ])('is $name', ({ code, says, pod }) => {
    const cause = causeOfPod(pod)
    expect(cause).toMatchObject({ code, pod: 'web-1' })
    expect(cause?.text).toContain(says)
  })

  it('is a quota that lets no pod be made', () => {
    const refusal = { type: 'ReplicaFailure', status: 'True', message: 'exceeded quota: small' }
    expect(causeOfPod({}, [refusal])).toEqual({
      code: 'admission',
      text: 'the cluster does not let it make pods: exceeded quota: small',
    })
  })

  it.each<{ name: string; pod: Pod }>([
    { name: 'a first crash, for which a lost race may be to blame', pod: { container: ended(1) } },
    { name: 'crashes before it came right', pod: { container: { ...ended(5), ready: true } } },
    {
      name: 'a registry that stumbles for a moment',
      pod: { container: waiting('ErrImagePull', 'connection refused') },
    },
    {
      name: 'a cache of the kubelet that lags behind',
      pod: { container: waiting('CreateContainerConfigError', 'failed to sync secret cache') },
    },
    { name: 'a container that is being made', pod: { container: waiting('ContainerCreating') } },
    { name: 'a pod that waits for a node', pod: {} },
    {
      name: 'a pod that its node put out',
      pod: { status: { phase: 'Failed', reason: 'Evicted' } },
    },
    {
      name: 'a pod that is on its way out',
      pod: { container: ended(9), deletionTimestamp: secondsAgo(1) },
    },
    { name: 'a pod of the old revision', pod: { container: ended(9), owner: { uid: 'old' } } },
    { name: 'a quota that let its pods in again', pod: {} },
  ])('is not $name', ({ pod }) => {
    expect(causeOfPod(pod, [{ type: 'ReplicaFailure', status: 'False' }])).toBeUndefined()
  })

  it.each([
    {
      name: 'the one that failed, of which a Job has others to try',
      container: undefined,
      phase: 'Failed',
    },
    {
      name: 'the one that came right after all',
      container: { ...ended(3), state: { terminated: { exitCode: 0 } } },
      phase: 'Succeeded',
    },
  ])("is not a Job's pod, $name", ({ container, phase }) => {
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate' } }
    const owner = { uid: 'job', kind: 'Job' }
    const picture: Picture = {
      ...emptyPicture,
      Job: [{ metadata: { name: 'migrate', uid: 'job' } }],
      Pod: [podOf({ container, owner, status: { phase } })],
    }
    expect(causeOf(job, picture, now)).toBeUndefined()
  })
})

describe('the cause of a failure of the External Secrets operator', () => {
  const secrets = { apiVersion: 'external-secrets.io/v1', metadata: { name: 'todo-secrets' } }
  const withReady = (status: string, reason: string) => ({
    metadata: { name: 'todo-secrets' },
    status: { conditions: [{ type: 'Ready', status, reason, message: 'could not get it' }] },
  })

  it.each([
    {
      name: 'a store that it can not use',
      kind: 'SecretStore',
      reason: 'InvalidProviderConfig',
      says: /^the operator can't use this store; check .* \(InvalidProviderConfig: could not get it\)$/,
    },
    {
      name: 'values that it can not read',
      kind: 'ExternalSecret',
      reason: 'SecretSyncedError',
      says: /^the operator can't read its values; check .* \(SecretSyncedError: could not get it\)$/,
    },
  ])('is $name', ({ kind, reason, says }) => {
    const picture = { ...emptyPicture, [kind]: [withReady('False', reason)] }
    const cause = causeOf({ ...secrets, kind }, picture, now)
    expect(cause).toMatchObject({ code: 'secrets', subject: { kind, name: 'todo-secrets' } })
    expect(cause?.text).toMatch(says)
  })

  it('is none while it has said nothing, or that all is well', () => {
    const object = { ...secrets, kind: 'ExternalSecret' }
    expect(causeOf(object, emptyPicture, now)).toBeUndefined()
    const picture = { ...emptyPicture, ExternalSecret: [withReady('True', 'SecretSynced')] }
    expect(causeOf(object, picture, now)).toBeUndefined()
  })
})
