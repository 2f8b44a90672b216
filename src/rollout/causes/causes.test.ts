import { describe, expect, it } from '@jest/globals'
import {
  ended,
  event,
  lastingCause,
  causeAfter,
  type Pod,
  podOf,
  scheduled,
  unscheduled,
  waiting,
} from '../../../tests/fakes/failingpods.ts'
import { fakeClock } from '../../../tests/fakes/world.ts'
import { emptyPicture, type Picture } from '../../cluster/watch.ts'
import { causeOf } from './causes.ts'
import { newSightings } from '../readiness/sightings.ts'
import { noWitness } from '../readiness/witness.ts'

describe('the cause of a failure', () => {
  it.each<{ name: string; code: string; says: string; pod: Pod }>([
    {
      name: 'a container that crashes again and again',
      code: 'crash-loop',
      says: 'exits with status 1 (2 restarts)',
      pod: { container: ended(2) },
    },
    {
      name: 'an init container that does',
      code: 'crash-loop',
      says: 'exits with status 7',
      pod: { init: ended(3, 'Error', 7) },
    },
    {
      name: 'a container that ends well again and again',
      code: 'crash-loop',
      says: 'exits with status 0',
      pod: { container: ended(3, 'Completed', 0) },
    },
    {
      name: 'a container above its memory',
      code: 'out-of-memory',
      says: 'more memory than its limit',
      pod: { container: ended(3, 'OOMKilled', 137) },
    },
    {
      name: 'an image that does not exist',
      code: 'image-not-found',
      says: 'manifest unknown',
      pod: { container: waiting('ErrImagePull', 'manifest unknown') },
    },
    {
      name: 'an image that is not for us',
      code: 'image-access-denied',
      says: 'unauthorized',
      pod: { container: waiting('ImagePullBackOff', 'pull: unauthorized') },
    },
    {
      name: 'a registry that is away for long',
      code: 'registry-unreachable',
      says: 'connection refused',
      pod: { container: waiting('ImagePullBackOff', 'connection refused') },
    },
    {
      name: 'an image name that is none',
      code: 'image-name-invalid',
      says: 'ghcr.io/todo/web',
      pod: { container: waiting('InvalidImageName') },
    },
    {
      name: 'a Secret that is missing',
      code: 'secret-missing',
      says: 'there is no Secret todo',
      pod: { container: waiting('CreateContainerConfigError', 'secret "todo" not found') },
    },
    {
      name: 'a key that its Secret lacks',
      code: 'secret-key-missing',
      says: 'Secret todo-secrets has no key TOKEN',
      pod: {
        container: waiting(
          'CreateContainerConfigError',
          "couldn't find key TOKEN in Secret todo/todo-secrets",
        ),
      },
    },
    {
      name: 'a ConfigMap that is missing',
      code: 'config-map-missing',
      says: 'there is no ConfigMap settings',
      pod: { container: waiting('CreateContainerConfigError', 'configmap "settings" not found') },
    },
    {
      name: 'a program that is missing',
      code: 'container-cannot-start',
      says: 'no such file',
      pod: { container: waiting('RunContainerError', 'exec: no such file or directory') },
    },
    {
      name: 'a pod that failed',
      code: 'pod-failed',
      says: 'its pod failed: a reason of its own',
      pod: { status: { phase: 'Failed', reason: 'Odd', message: 'a reason of its own' } },
    },
    {
      name: 'a pod that no node takes',
      code: 'unschedulable',
      says: '0/1 nodes are available: 1 Insufficient cpu',
      pod: {
        status: unscheduled('0/1 nodes are available: 1 Insufficient cpu. preemption: no help.'),
      },
    },
    {
      name: 'a claim that is not there',
      code: 'volume-failed',
      says: 'there is no PersistentVolumeClaim data',
      pod: { status: unscheduled('persistentvolumeclaim "data" not found') },
    },
  ])('is $name', async ({ code, says, pod }) => {
    const cause = await lastingCause({ pods: [pod] })
    expect(cause).toMatchObject({ code, pod: 'web-1' })
    expect(cause?.text).toContain(says)
    expect(cause?.remedy).not.toBe('')
  })

  it('is a quota that lets no pod be made', async () => {
    const message = 'pods "web-1" is forbidden: exceeded quota: small'
    const refusal = { type: 'ReplicaFailure', status: 'True', message }
    const cause = await lastingCause({ conditions: [refusal] })
    expect(cause).toMatchObject({
      code: 'quota-exceeded',
      text: `the cluster does not let it make pods: ${message}`,
    })
  })

  it('is the volume that can not be mounted, by the words of its event', async () => {
    const said =
      'MountVolume.SetUp failed for volume "data" : hostPath type check failed: /x is not'
    const moment = { pods: [{ status: scheduled }], events: [event('FailedMount', said)] }
    expect(await causeAfter([moment])).toMatchObject({
      code: 'volume-failed',
      text: 'its volume can\'t be mounted: "data" : hostPath type check failed: /x is not',
    })
  })

  it('is the liveness probe, where that is what ends the container', async () => {
    const of = { fieldPath: 'spec.containers{main}' }
    const events = [
      event('Unhealthy', 'Liveness probe failed: HTTP probe failed with statuscode: 500', of),
      event('Killing', 'Container main failed liveness probe, will be restarted', of),
    ]
    const moment = { pods: [{ container: ended(2, 'Error', 137) }], events }
    expect(await lastingCause(moment)).toMatchObject({
      code: 'liveness-failed',
      text: expect.stringContaining('HTTP probe failed with statuscode: 500'),
    })
  })
})

describe("a Job's pod", () => {
  it.each([
    {
      name: 'that failed, of which there are others to try',
      container: undefined,
      phase: 'Failed',
    },
    {
      name: 'that came right after all',
      container: { ...ended(3), state: { terminated: { exitCode: 0 } } },
      phase: 'Succeeded',
    },
    {
      name: 'that crashes: how often it may is its own affair',
      container: ended(3),
      phase: 'Running',
    },
  ])('is no cause $name', ({ container, phase }) => {
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate' } }
    const owner = { uid: 'job', kind: 'Job' }
    const picture: Picture = {
      ...emptyPicture,
      Job: [{ metadata: { name: 'migrate', uid: 'job' } }],
      Pod: [podOf({ container, owner, status: { phase } })],
    }
    const sightings = newSightings(fakeClock())
    const context = { picture, sightings, witness: noWitness, isAlone: true }
    expect(causeOf(job, context)).toBeUndefined()
  })
})

describe('the cause of a failure of the External Secrets operator', () => {
  const secrets = { apiVersion: 'external-secrets.io/v1', metadata: { name: 'todo-secrets' } }
  const withReady = (status: string, reason: string) => ({
    metadata: { name: 'todo-secrets' },
    status: { conditions: [{ type: 'Ready', status, reason, message: 'could not get it' }] },
  })
  const over = { ...newSightings(fakeClock()), heldFor: () => 60_000 }
  const inPicture = (picture: Picture) => ({
    ...{ picture, sightings: over, witness: noWitness, isAlone: true },
  })

  it.each([
    {
      name: 'a store that it can not use',
      kind: 'SecretStore',
      reason: 'InvalidProviderConfig',
      says: "the operator can't use this store (InvalidProviderConfig: could not get it)",
    },
    {
      name: 'values that it can not read',
      kind: 'ExternalSecret',
      reason: 'SecretSyncedError',
      says: "the operator can't read its values (SecretSyncedError: could not get it)",
    },
  ])('is $name', ({ kind, reason, says }) => {
    const picture = { ...emptyPicture, [kind]: [withReady('False', reason)] }
    const subject = { kind, name: 'todo-secrets' }
    expect(causeOf({ ...secrets, kind }, inPicture(picture))).toMatchObject({
      ...{ code: 'secret-store-failed', text: says, subject },
    })
  })

  it('is none while it has said nothing, or that all is well', () => {
    const object = { ...secrets, kind: 'ExternalSecret' }
    expect(causeOf(object, inPicture(emptyPicture))).toBeUndefined()
    const picture = { ...emptyPicture, ExternalSecret: [withReady('True', 'SecretSynced')] }
    expect(causeOf(object, inPicture(picture))).toBeUndefined()
  })
})
