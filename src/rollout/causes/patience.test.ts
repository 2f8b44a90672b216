import { describe, expect, it } from '@jest/globals'
import {
  causeAfter,
  DURING_A_LOOK,
  ended,
  event,
  lastingCause,
  type Pod,
  running,
  unscheduled,
  waiting,
} from '../../../tests/fakes/failingpods.ts'
import { fakeClock } from '../../../tests/fakes/world.ts'
import { newSightings } from '../readiness/sightings.ts'
import { noWitness, type Witness } from '../readiness/witness.ts'

describe('what may still come right', () => {
  it.each<{ name: string; pod: Pod }>([
    { name: 'a first crash, for which a lost race may be to blame', pod: { container: ended(1) } },
    { name: 'crashes before it came right', pod: { container: { ...ended(5), ready: true } } },
    { name: 'a container that runs again', pod: { container: running(9, false) } },
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
    { name: 'a pod on its way out', pod: { container: ended(9), deletionTimestamp: 'now' } },
    { name: 'a pod of the old revision', pod: { container: ended(9), owner: { uid: 'old' } } },
  ])('is $name', async ({ pod }) => {
    const conditions = [{ type: 'ReplicaFailure', status: 'False' }]
    expect(await lastingCause({ pods: [pod], conditions })).toBeUndefined()
  })

  it.each<{ name: string; pod: Pod; seconds: number }>([
    {
      name: 'a registry that stumbles for a moment',
      pod: { container: waiting('ErrImagePull', 'connection refused') },
      seconds: 30,
    },
    {
      name: 'a registry that says "not found" once',
      pod: { container: waiting('ErrImagePull', 'manifest unknown: not found') },
      seconds: 5,
    },
    {
      name: 'a Secret that its operator is just making',
      pod: { container: waiting('CreateContainerConfigError', 'secret "todo" not found') },
      seconds: 1,
    },
    {
      name: 'a runtime that fails for a moment',
      pod: { container: waiting('CreateContainerError', 'context deadline exceeded') },
      seconds: 10,
    },
    {
      name: 'a node that is full for half a minute',
      pod: { status: unscheduled('0/3 nodes are available: 3 Insufficient memory.') },
      seconds: 40,
    },
  ])('is $name', async ({ pod, seconds }) => {
    const moment = { pods: [pod] }
    expect(await causeAfter([moment, moment], { seconds })).toBeUndefined()
  })

  it('is a node that an autoscaler is making, for as long as that takes', async () => {
    const pods = [{ status: unscheduled('0/3 nodes are available: 3 Insufficient cpu.') }]
    const events = [event('TriggeredScaleUp', 'pod triggered scale-up')]
    expect(await lastingCause({ pods, events })).toBeUndefined()
  })

  it('is a quota that is used up by pods that are just ending', async () => {
    const message = 'exceeded quota: small'
    const conditions = [{ type: 'ReplicaFailure', status: 'True', message }]
    const moment = { conditions, pods: [{ owner: { uid: 'old' }, deletionTimestamp: 'now' }] }
    expect(await causeAfter([moment, moment], { seconds: 10 })).toBeUndefined()
    expect(await causeAfter([moment, moment], { seconds: 40 })).toBeDefined()
  })

  it('is what was so only before the server went away', async () => {
    const clock = fakeClock()
    const sightings = newSightings(clock)
    sightings.heldFor('it')
    await clock.sleep(90_000, DURING_A_LOOK)
    sightings.doubt()
    expect(sightings.heldFor('it')).toBe(0)
  })
})

describe('a second crash', () => {
  const first = {
    pods: [{ container: { ...ended(0), state: { terminated: { exitCode: 1, reason: 'Error' } } } }],
  }
  const second = { pods: [{ container: ended(1) }] }

  it('is enough where nothing else is on its way that it could have waited for', async () => {
    expect(await causeAfter([first, second], { isAlone: true })).toMatchObject({
      code: 'crash-loop',
    })
  })

  it('may be a race where something is', async () => {
    expect(await causeAfter([first, second], { isAlone: false })).toBeUndefined()
  })

  it('may be one although nothing is on its way any more when it is looked at', async () => {
    const clock = fakeClock()
    const sightings = newSightings(clock)
    const looks = [false, true].map((isAlone) => ({ isAlone, sightings }))
    expect(await causeAfter([second], looks[0])).toBeUndefined()
    expect(await causeAfter([second], looks[1])).toBeUndefined()
  })

  it('may be its node where the pod beside it runs', async () => {
    const beside = { name: 'web-2', container: running() }
    const both = [{ pods: [...first.pods, beside] }, { pods: [...second.pods, beside] }]
    expect(await causeAfter(both, { isAlone: true })).toBeUndefined()
  })

  it('is another one where it ended in another way', async () => {
    const other = { pods: [{ container: ended(1, 'Error', 2) }] }
    expect(await causeAfter([first, other], { isAlone: true })).toBeUndefined()
  })
})

describe('an image that the node does not find', () => {
  const pods = [{ container: waiting('ErrImagePull', 'ghcr.io/todo/web: not found') }]

  it('is missing at once where the registry says the same to us', async () => {
    const witness: Witness = { ...noWitness, image: () => 'missing' }
    expect(await causeAfter([{ pods }], { witness })).toMatchObject({ code: 'image-not-found' })
  })

  it('is missing where the kubelet has heard it twice', async () => {
    const message = 'Failed to pull image "ghcr.io/todo/web": not found'
    const moment = { pods, events: [event('Failed', message)] }
    expect(await causeAfter([moment])).toMatchObject({ code: 'image-not-found' })
  })

  it('gets its second try where the registry has it for us', async () => {
    const witness: Witness = { ...noWitness, image: () => 'there' }
    expect(await causeAfter([{ pods }], { witness })).toBeUndefined()
  })
})

describe('a pod that no node takes', () => {
  const pods = [
    {
      spec: { nodeSelector: { disk: 'fast' }, containers: [] },
      status: unscheduled(
        "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
      ),
    },
  ]
  const nodesOf = (providerID: string, labels: object = {}): Witness => ({
    ...noWitness,
    read: () => ({ body: { items: [{ metadata: { labels }, spec: { providerID } }] } }),
  })

  it.each([
    { name: 'soon, where no node ever could', witness: nodesOf('kind://x'), seconds: 9, is: true },
    { name: 'not so soon in a cloud', witness: nodesOf('aws:///x'), seconds: 9, is: false },
    { name: 'later in a cloud', witness: nodesOf('aws:///x'), seconds: 46, is: true },
    {
      name: 'not soon, where a node could',
      witness: nodesOf('kind://x', { disk: 'fast' }),
      seconds: 46,
      is: false,
    },
  ])('is given up $name', async ({ witness, seconds, is }) => {
    const cause = await causeAfter([{ pods }, { pods }], { witness, seconds })
    expect(cause?.code).toBe(is ? 'unschedulable' : undefined)
  })
})
