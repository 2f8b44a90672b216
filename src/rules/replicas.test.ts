import { describe, expect, it } from '@jest/globals'
import { deploymentOf, foundBy, objectOf } from '../../tests/fakes/manifests.ts'
import { autoscalingRule, disruptionBudgetRule } from './replicas.ts'
import { drainRule, rollingUpdateRule } from './updates.ts'

const web = deploymentOf('web')
const three = deploymentOf('web', {}, { replicas: 3 })
const selector = { matchLabels: { app: 'web' } }
const budget = (spec: object, name = 'web') =>
  objectOf('PodDisruptionBudget', name, { spec: { selector, ...spec } })
const scaler = (minReplicas: number, maxReplicas: number, name = 'web') =>
  objectOf('HorizontalPodAutoscaler', name, {
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, minReplicas, maxReplicas },
  })

describe('a disruption budget', () => {
  it.each([
    { name: 'one may be unavailable', spec: { maxUnavailable: 1 } },
    { name: 'a share may be unavailable', spec: { maxUnavailable: '10%' } },
    { name: 'two of three must stay', spec: { minAvailable: 2 } },
    { name: 'half of three must stay', spec: { minAvailable: '50%' } },
  ])('lets pods move where $name', ({ spec }) => {
    expect(foundBy(disruptionBudgetRule, three, budget(spec))).toEqual([])
  })

  it.each([
    { name: 'none may be unavailable', spec: { maxUnavailable: '0%' } },
    { name: 'all must stay', spec: { minAvailable: '100%' } },
    { name: 'three of three must stay', spec: { minAvailable: 3 } },
  ])('lets no pod move where $name', ({ spec }) => {
    expect(foundBy(disruptionBudgetRule, three, budget(spec))).toEqual([
      expect.stringContaining("of 3 pods none may go, so a node can't be drained"),
    ])
  })

  it('counts with the least that an autoscaler leaves', () => {
    const objects = [web, budget({ minAvailable: 1 })]
    expect(foundBy(disruptionBudgetRule, ...objects, scaler(2, 4))).toEqual([])
    expect(foundBy(disruptionBudgetRule, ...objects, scaler(1, 4))).toHaveLength(1)
  })

  it('is not wanted of what has one pod for ever', () => {
    expect(foundBy(disruptionBudgetRule, web)).toEqual([])
    expect(foundBy(disruptionBudgetRule, three)).toHaveLength(1)
  })

  it('is alone: two of them block every move', () => {
    const both = [budget({ maxUnavailable: 1 }), budget({ maxUnavailable: 1 }, 'other')]
    expect(foundBy(disruptionBudgetRule, three, ...both)).toEqual([
      expect.stringContaining('select the same pods'),
    ])
  })
})

describe('an autoscaler', () => {
  it('needs room, and its target for itself', () => {
    expect(foundBy(autoscalingRule, web, scaler(1, 10))).toEqual([])
    expect(foundBy(autoscalingRule, web, scaler(2, 2))).toHaveLength(1)
    expect(foundBy(autoscalingRule, web, scaler(1, 3), scaler(1, 3, 'second'))).toEqual([
      'second spec.scaleTargetRef: another autoscaler has Deployment web already',
    ])
  })
})

describe('an update', () => {
  it('is judged by the defaults of Kubernetes where nothing is said', () => {
    expect(foundBy(rollingUpdateRule, web).map((line) => line.split(':')[0])).toEqual([
      'web spec.strategy.rollingUpdate.maxUnavailable',
      'web spec.minReadySeconds',
    ])
  })

  it('that recreates has nothing else to mend', () => {
    const all = deploymentOf('web', {}, { strategy: { type: 'Recreate' } })
    expect(foundBy(rollingUpdateRule, all)).toHaveLength(1)
  })

  it.each([
    { name: 'sleep of Kubernetes', preStop: { sleep: { seconds: 30 } }, findings: 1 },
    { name: 'the program', preStop: { exec: { command: ['/bin/sleep', '30'] } }, findings: 1 },
    { name: 'a shorter pause', preStop: { sleep: { seconds: 29 } }, findings: 0 },
    { name: 'a program that nobody knows', preStop: { exec: { command: ['drain'] } }, findings: 0 },
  ])('leaves more time than the pause takes: $name', ({ preStop, findings }) => {
    const ports = [{ containerPort: 80 }]
    const containers = [{ name: 'main', ports, lifecycle: { preStop } }]
    expect(foundBy(drainRule, deploymentOf('web', { containers }))).toHaveLength(findings)
  })

  it('of what nobody calls needs no pause', () => {
    expect(foundBy(drainRule, web)).toEqual([])
  })
})
