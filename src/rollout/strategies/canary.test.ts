import { beforeEach, describe, expect, it } from '@jest/globals'
import { answer } from '../../../tests/fakes/cluster.ts'
import { objectOf } from '../../../tests/fakes/manifests.ts'
import { openStreet, service, type Street, web } from '../../../tests/fakes/street.ts'
import { at } from '../../json.ts'

const canary = {
  type: 'canary',
  steps: [25, 50],
  pause: '10s',
  analysis: { path: '/health', samples: 5 },
} as const

let street: Street
beforeEach(() => {
  street = openStreet()
})

describe('a handover by canary', () => {
  it('goes by its steps, says the real shares, and never has too few or too many pods', async () => {
    await street.deploy([service, web('1')], 'rolling')
    const seen = street.watchCapacity()
    await street.deploy([service, web('2')], canary)
    expect(street.world.said).toContain('web: 1 of 4 pods = 25.0 %, 25 % were asked for')
    expect(street.world.said).toContain('web: 2 of 4 pods = 50.0 %, 50 % were asked for')
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(4)
    expect(Math.max(...seen)).toBeLessThanOrEqual(5)
    expect(Object.values(street.sets.taking('web'))).toEqual([4])
    expect(street.deployments()).toHaveLength(1)
  })

  it('is refused before anything is written where a share is too far away', async () => {
    await street.deploy([service, web('1', 2)], 'rolling')
    street.sets.log.length = 0
    const asked = street.open([service, web('2', 2)], { ...canary, steps: [10] })
    await expect(asked).rejects.toThrow(
      "The steps of the canary can't be had with so few pods (web: 10 % of 2 pods is at best 1 of 3 pods = 33.3 %, 23 points away)",
    )
    expect(street.sets.log).toEqual([])
    await street.open([service, web('2', 2)], { ...canary, steps: [10], tolerance: 25 })
  })

  it('is refused before anything is written where nobody may ask the pods', async () => {
    await street.deploy([service, web('1')], 'rolling')
    street.sets.intercept = ({ path }) =>
      path.endsWith('/selfsubjectaccessreviews')
        ? answer(201, { status: { allowed: false } })
        : undefined
    street.sets.log.length = 0
    await expect(street.open([service, web('2')], canary)).rejects.toThrow(/pods\/proxy/)
    expect(street.sets.log).toEqual([])
    await street.open([service, web('2')], 'blue-green')
  })

  it('goes back where the new pods answer worse', async () => {
    await street.deploy([service, web('1')], 'rolling')
    street.sets.intercept = ({ path }) =>
      /pods\/web-[0-9a-f]{8}-.*proxy/.test(path) ? answer(500, 'no') : undefined
    const next = await street.open([service, web('2')], canary)
    await expect(street.roll(next)).rejects.toThrow(
      /^The canary at 25 % is worse than what ran before: web: fail: errors rose from 0.0 % to 100.0 %/,
    )
    await next.handover.abort()
    expect(street.sets.taking('web')).toEqual({ web: 4 })
    expect(street.deployments()).toEqual(['web'])
  })

  it('stops and leaves everything where nobody can tell, and is ended by blue-green', async () => {
    await street.deploy([service, web('1')], 'rolling')
    street.sets.intercept = ({ path }) =>
      path.includes('/proxy/')
        ? answer(403, {
            kind: 'Status',
            reason: 'Forbidden',
            details: { kind: 'pods' },
            message:
              'pods "web-0" is forbidden: User "x" cannot get resource "pods/proxy" in API group "" in the namespace "todo"',
          })
        : undefined
    const next = await street.open([service, web('2')], canary)
    await expect(street.roll(next)).rejects.toThrow(
      /^The canary at 25 % can't be judged: web: inconclusive: the pods can't be asked/,
    )
    expect(Object.values(street.sets.taking('web')).toSorted()).toEqual([1, 3])
    await street.roll(await street.open([service, web('2')], 'blue-green', next.handover.traffic))
    expect(Object.values(street.sets.taking('web'))).toEqual([4])
    expect(street.deployments()).toHaveLength(1)
  })

  it('shares by the weights of a route where there is one, with all old pods', async () => {
    const route = {
      ...objectOf('HTTPRoute', 'web', {
        spec: { rules: [{ backendRefs: [{ name: 'web', port: 80 }] }] },
      }),
      apiVersion: 'gateway.networking.k8s.io/v1',
    }
    await street.deploy([service, web('1'), route], 'rolling')
    const weights: unknown[] = []
    street.sets.intercept = ({ method, path, body }) => {
      if (!path.includes('/httproutes/')) return undefined
      const refs = at(body, 'spec', 'rules', 0, 'backendRefs')
      if (method === 'PATCH') weights.push((refs as { weight?: number }[]).map((ref) => ref.weight))
      const condition = (type: string) => ({ type, status: 'True', observedGeneration: 9 })
      const conditions = [condition('Accepted'), condition('ResolvedRefs')]
      return answer(200, { metadata: { generation: 9 }, status: { parents: [{ conditions }] } })
    }
    await street.deploy([service, web('2'), route], { ...canary, steps: [10] })
    expect(weights).toEqual([[undefined], [90, 10], [0, 100], [undefined]])
    expect(Object.values(street.sets.taking('web'))).toEqual([4])
  })
})
