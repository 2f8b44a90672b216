import { beforeEach, describe, expect, it } from '@jest/globals'
import { objectOf } from '../../../tests/fakes/manifests.ts'
import { openStreet, service, type Street, web } from '../../../tests/fakes/street.ts'
import { at } from '../../json.ts'
import type { KubeObject } from '../../render/manifest.ts'

let street: Street
beforeEach(() => {
  street = openStreet()
})

describe('a handover by blue-green', () => {
  it('of a first release has nothing to shift, and gives it its pods', async () => {
    await street.deploy([web('1'), service], 'blue-green')
    expect(Object.values(street.sets.taking('web'))).toEqual([4])
  })

  it('adopts an ordinary Deployment, and never leaves the Service with fewer pods', async () => {
    await street.deploy([service, web('1')], 'rolling')
    const seen = street.watchCapacity()
    await street.deploy([service, web('2')], 'blue-green')
    const [set = ''] = street.deployments()
    expect(street.deployments()).toEqual([expect.stringMatching(/^web-[0-9a-f]{8}$/)])
    expect(street.course().slice(-3)).toEqual([{ web: 4 }, { web: 4, [set]: 4 }, { [set]: 4 }])
    expect(Math.min(...seen)).toBe(4)
  })

  it('leaves alone what has not changed', async () => {
    await street.deploy([service, web('1')], 'blue-green')
    const again = await street.open([service, web('1')], 'blue-green')
    expect(again.handover.plan).toEqual([])
  })

  it('gives the new set as many pods as the old one has got meanwhile', async () => {
    await street.deploy([service, web('1')], 'blue-green')
    const [old = ''] = street.deployments()
    const path = `/apis/apps/v1/namespaces/todo/deployments/${old}`
    const next = await street.open([service, web('2', 'none')], 'blue-green')
    await street.roll(next, 'written')
    await street.sets.cluster.call({
      ...{ method: 'PATCH', path, contentType: 'application/merge-patch+json' },
      body: { spec: { replicas: 7 } },
    })
    await next.handover.shift({ watch: street.sets.watch, deadline: Infinity })
    expect(Object.values(street.sets.taking('web'))).toEqual([7])
  })

  it('stops where somebody else has changed the selector', async () => {
    await street.deploy([service, web('1')], 'rolling')
    const next = await street.open([service, web('2')], 'blue-green')
    await street.roll(next, 'written')
    const live = street.sets.objects.get('services/web')
    street.sets.objects.set('services/web', {
      ...live,
      spec: { selector: { app: 'else' } },
    } as KubeObject)
    const shift = next.handover.shift({ watch: street.sets.watch, deadline: Infinity })
    await expect(shift).rejects.toThrow('Somebody has changed the selector of Service todo/web')
    expect(at(street.sets.objects.get('services/web'), 'spec', 'selector')).toEqual({ app: 'else' })
  })

  it.each(['have restarted', 'have just ended'])(
    'goes back where the new pods %s within the bake time',
    async (how) => {
      await street.deploy([service, web('1')], 'rolling')
      const next = await street.open([service, web('2')], 'blue-green')
      await street.roll(next, 'shifted')
      const [set = ''] = Object.keys(street.sets.taking('web'))
      const { sleep } = street.world.clock
      Object.assign(street.world.clock, {
        sleep: async (milliseconds: number, signal: AbortSignal) => {
          if (how === 'have restarted') street.sets.restarts.set(set, 1)
          else street.sets.ended.add(set)
          await sleep(milliseconds, signal)
        },
      })
      const settle = next.handover.settle({ watch: street.sets.watch, deadline: Infinity })
      await expect(settle).rejects.toThrow('restarted after they took the requests')
      await next.handover.abort()
      expect(street.sets.taking('web')).toEqual({ web: 4 })
      expect(street.deployments()).toEqual(['web'])
    },
  )

  it('goes on after a run that was killed when both sets served', async () => {
    await street.deploy([service, web('1')], 'blue-green')
    const killed = await street.open([service, web('2')], 'blue-green')
    const { traffic } = killed.handover
    await street.roll(killed, 'written')
    const wide = street.sets.objects.get('services/web')
    street.sets.objects.set('services/web', { ...wide, spec: service['spec'] } as KubeObject)
    expect(Object.keys(street.sets.taking('web'))).toHaveLength(2)
    const seen = street.watchCapacity()
    await street.roll(await street.open([service, web('3')], 'blue-green', traffic))
    expect(street.deployments()).toHaveLength(1)
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(4)
  })
})

describe('a handover back to rolling', () => {
  it('ends with an ordinary Deployment and the selector of the manifests', async () => {
    await street.deploy([service, web('1')], 'blue-green')
    const seen = street.watchCapacity()
    await street.deploy([service, web('2')], 'rolling')
    expect(street.deployments()).toEqual(['web'])
    expect(at(street.sets.objects.get('services/web'), 'spec', 'selector')).toEqual({ app: 'web' })
    expect(Math.min(...seen)).toBe(4)
  })
})

describe('autoscalers in a handover', () => {
  const scaler = {
    ...objectOf('HorizontalPodAutoscaler', 'web', {
      spec: {
        scaleTargetRef: { kind: 'Deployment', name: 'web' },
        minReplicas: 1,
        maxReplicas: 9,
      },
    }),
    apiVersion: 'autoscaling/v2',
  }
  const live = () => at(street.sets.objects.get('horizontalpodautoscalers/web'), 'spec')

  it('are held at the old set, then point at the new one with their own bounds', async () => {
    await street.deploy([service, web('1', 'none'), scaler], 'rolling')
    const path = '/apis/apps/v1/namespaces/todo/deployments/web'
    const body = { spec: { replicas: 3 } }
    const contentType = 'application/merge-patch+json'
    await street.sets.cluster.call({ method: 'PATCH', path, body, contentType })
    const next = await street.open([service, web('2', 'none'), scaler], 'blue-green')
    await next.handover.begin({ watch: street.sets.watch, deadline: Infinity })
    expect(live()).toMatchObject({
      scaleTargetRef: { name: 'web' },
      minReplicas: 3,
      maxReplicas: 9,
    })
    await street.roll(next)
    const [set = ''] = Object.keys(street.sets.taking('web'))
    expect(live()).toMatchObject({ scaleTargetRef: { name: set }, minReplicas: 1, maxReplicas: 9 })
    expect(street.sets.taking('web')).toEqual({ [set]: 3 })
  })
})
