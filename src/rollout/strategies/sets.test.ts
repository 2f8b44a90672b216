import { describe, expect, it } from '@jest/globals'
import { deploymentOf, objectOf } from '../../../tests/fakes/manifests.ts'
import { readStrategy } from '../../environments/strategy.ts'
import { at, textAt } from '../../json.ts'
import { dependenciesOf } from '../../render/dependencies.ts'
import type { KubeObject } from '../../render/manifest.ts'
import { asSets, isReplacedSet, takesSets } from './sets.ts'

const blueGreen = readStrategy('blue-green')
const web = deploymentOf('web', {}, { replicas: 3 })
const service = objectOf('Service', 'web', {
  spec: { selector: { app: 'web' }, ports: [{ port: 80, nodePort: 30080 }], type: 'NodePort' },
})
const scaler = objectOf('HorizontalPodAutoscaler', 'web', {
  spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, minReplicas: 2 },
})

function nameIn(objects: readonly KubeObject[], kind = 'Deployment'): string {
  return objects.find((object) => object.kind === kind)?.metadata.name ?? ''
}

describe('objects as sets', () => {
  it('are what the manifests say where pods are replaced by rolling', () => {
    const objects = [web, service, scaler]
    expect(asSets(objects, readStrategy('rolling'))).toBe(objects)
  })

  it('have a Deployment for each content, whose pods have one label more', () => {
    const [set] = asSets([web, service], blueGreen)
    const name = set?.metadata.name ?? ''
    expect(name).toMatch(/^web-[0-9a-f]{8}$/)
    const hash = name.slice('web-'.length)
    expect(at(set, 'spec', 'template', 'metadata', 'labels')).toEqual({
      app: 'web',
      'todo-deploy.dev/set': hash,
    })
    expect(at(set, 'spec', 'selector', 'matchLabels')).toEqual({ 'todo-deploy.dev/set': hash })
    expect(set?.metadata.labels).toEqual({ 'todo-deploy.dev/workload': 'web' })
  })

  it('have no number of pods in what is applied, and remember it', () => {
    const [set] = asSets([web, service], blueGreen)
    expect(at(set, 'spec', 'replicas')).toBeUndefined()
    expect(set?.metadata.annotations).toEqual({ 'todo-deploy.dev/replicas': '3' })
    const more = asSets([deploymentOf('web', {}, { replicas: 5 }), service], blueGreen)
    expect(nameIn(more)).toBe(set?.metadata.name)
  })

  it('have another name as soon as their pods would be others', () => {
    const other = deploymentOf('web', { priorityClassName: 'high' })
    expect(nameIn(asSets([other, service], blueGreen))).not.toBe(
      nameIn(asSets([web, service], blueGreen)),
    )
  })

  it('have Services that mean the pods of the set, and a preview without anything of the outside', () => {
    const [set, narrowed, preview] = asSets([web, service], blueGreen)
    const selector = at(set, 'spec', 'template', 'metadata', 'labels')
    expect(at(narrowed, 'spec', 'selector')).toEqual(selector)
    expect(at(narrowed, 'spec', 'type')).toBe('NodePort')
    expect(preview?.metadata.name).toBe('web-preview')
    expect(preview?.['spec']).toEqual({ selector, ports: [{ port: 80 }] })
  })

  it('have autoscalers that point at the set', () => {
    const objects = asSets([web, service, scaler], blueGreen)
    const found = objects.find(({ kind }) => kind === 'HorizontalPodAutoscaler')
    expect(textAt(found, 'spec', 'scaleTargetRef', 'name')).toBe(nameIn(objects))
    expect(at(found, 'spec', 'minReplicas')).toBe(2)
  })

  it('are still found by what depends on the workload', () => {
    const worker = objectOf('Deployment', 'worker', {
      metadata: { annotations: { 'todo-deploy.dev/depends-on': 'Deployment/web' } },
    })
    const objects = asSets([worker, web, service], blueGreen)
    const { of, problems } = dependenciesOf(objects)
    expect(problems).toEqual([])
    expect(of(worker).map(({ metadata }) => metadata.name)).toEqual([nameIn(objects.slice(1))])
  })

  it('leave budgets and network policies as they are', () => {
    const budget = objectOf('PodDisruptionBudget', 'web', {
      spec: { selector: { matchLabels: { app: 'web' } } },
    })
    expect(asSets([web, service, budget], blueGreen)).toContainEqual(budget)
  })

  it('have names of at most 63 characters', () => {
    const long = 'w'.repeat(63)
    const objects = asSets(
      [deploymentOf(long), objectOf('Service', 'web', { spec: { selector: { app: long } } })],
      blueGreen,
    )
    expect(nameIn(objects)).toHaveLength(63)
  })
})

describe('a Deployment takes sets', () => {
  const annotated = objectOf('Deployment', 'web', {
    ...web,
    metadata: { annotations: { 'todo-deploy.dev/strategy': 'rolling' } },
  })
  const headless = objectOf('Service', 'web', {
    spec: { selector: { app: 'web' }, clusterIP: 'None' },
  })
  const shared = objectOf('Deployment', 'admin', { spec: web['spec'] })
  const recreated = deploymentOf('web', {}, { strategy: { type: 'Recreate' } })
  it.each([
    { name: 'behind a Service', objects: [web, service], takes: true },
    { name: 'behind none: nobody asks it', objects: [web], takes: false },
    { name: 'behind a headless one', objects: [web, headless], takes: false },
    { name: 'with another behind the same', objects: [web, shared, service], takes: false },
    { name: 'that must not run twice', objects: [recreated, service], takes: false },
    { name: 'that is left out by an annotation', objects: [annotated, service], takes: false },
    {
      name: 'without pods',
      objects: [deploymentOf('web', {}, { replicas: 0 }), service],
      takes: false,
    },
  ])('$name: $takes', ({ objects, takes }) => {
    expect(takesSets(objects[0] ?? web, objects)).toBe(takes)
  })
})

describe('a Deployment that is replaced', () => {
  const first = asSets([web, service], blueGreen)[0] ?? web
  const second = asSets([deploymentOf('web', { priorityClassName: 'x' }), service], blueGreen)
  it.each([
    { name: 'an older set', object: first, objects: second, is: true },
    { name: 'an ordinary one, by a set', object: web, objects: second, is: true },
    { name: 'a set, by an ordinary one', object: first, objects: [web], is: true },
    { name: 'the same set', object: first, objects: [first], is: false },
    { name: 'a workload that is gone', object: first, objects: [service], is: false },
  ])('$name: $is', ({ object, objects, is }) => {
    expect(isReplacedSet(object, objects)).toBe(is)
  })
})
