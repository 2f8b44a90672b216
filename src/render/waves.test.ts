import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from './manifest.ts'
import { orderProblems, splitWaves } from './waves.ts'

const object = (kind: string, annotations: Readonly<Record<string, string>> = {}): KubeObject => ({
  ...{ apiVersion: 'v1', kind, metadata: { name: kind.toLowerCase(), annotations } },
})
const kindsOf = (objects: readonly KubeObject[]) =>
  splitWaves(objects).map((wave) => wave.objects.map(({ kind }) => kind))
const after = (text: string) => ({ 'todo-deploy.dev/depends-on': text })
const shared = (text: string) => ({ 'config.kubernetes.io/depends-on': text })

describe('the waves of a rollout', () => {
  it('write what others need first: the database before its migration, that before the workloads', () => {
    const kinds = [
      'Ingress',
      'Deployment',
      'Service',
      'Job',
      'StatefulSet',
      'Secret',
      'Namespace',
      'HorizontalPodAutoscaler',
    ]
    expect(kindsOf(kinds.map((kind) => object(kind)))).toEqual([
      ['Namespace'],
      ['Secret'],
      ['StatefulSet'],
      ['Job'],
      ['Service'],
      ['Deployment'],
      ['Ingress', 'HorizontalPodAutoscaler'],
    ])
  })

  it('have the Service of a database with it, whether it is named or selects its pods', () => {
    const template = { metadata: { labels: { app: 'db' } } }
    const database = { ...object('StatefulSet'), spec: { serviceName: 'named', template } }
    const service = (name: string, app: string): KubeObject => ({
      ...{ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: { app } } },
    })
    const services = [service('web', 'web'), service('named', 'x'), service('other', 'db')]
    const waves = splitWaves([...services, database])
    expect(waves.map((wave) => wave.objects.map(({ metadata }) => metadata.name))).toEqual([
      ['named', 'other', 'statefulset'],
      ['web'],
    ])
  })

  it('have the Secrets that an operator makes ready before anything reads them', () => {
    const kinds = ['Job', 'ExternalSecret', 'StatefulSet', 'SecretStore', 'ServiceAccount']
    const [first] = kindsOf(kinds.map((kind) => object(kind)))
    expect(first).toEqual(['ServiceAccount', 'SecretStore', 'ExternalSecret'])
  })

  it('leave none out: a kind that nobody knows comes last', () => {
    const waves = splitWaves([object('Gadget'), object('Service')])
    expect(waves.map(({ name }) => name)).toEqual(['services', 'routes'])
  })

  it('let annotations move an object, and give those of one wave their turns', () => {
    const wave = (name: string, weight: string) => ({
      'todo-deploy.dev/wave': name,
      'todo-deploy.dev/weight': weight,
    })
    const late = object('Job', wave('after', '0'))
    const second = object('Pod', wave('migration', '5'))
    const first = object('CronJob', wave('migration', '-5'))
    const waves = splitWaves([late, second, object('Deployment'), first])
    expect(waves.map(({ name }) => name)).toEqual([
      ...['jobs (1 of 2)', 'jobs (2 of 2)', 'workloads', 'what comes after'],
    ])
    expect(kindsOf([late, second, first])).toEqual([['CronJob'], ['Pod'], ['Job']])
  })

  it.each([
    { name: 'our own annotation', annotations: after('CronJob/cronjob') },
    { name: 'the one of others', annotations: shared('/CronJob/cronjob') },
  ])('write what depends on another one after it, by $name', ({ annotations }) => {
    expect(kindsOf([object('Deployment', annotations), object('CronJob'), object('Pod')])).toEqual([
      ['Pod', 'CronJob'],
      ['Deployment'],
    ])
  })

  it('move what depends on something late along with it, however long the way', () => {
    const objects = [
      object('Secret', after('ConfigMap/configmap')),
      object('ConfigMap', after('Deployment/deployment, Job/job')),
      object('Deployment'),
      { ...object('Job'), metadata: { name: 'job-0123abcd' } },
    ]
    expect(kindsOf(objects)).toEqual([['Job'], ['Deployment'], ['ConfigMap'], ['Secret']])
    expect(orderProblems(objects)).toEqual([])
  })
})

describe('an order that can not be followed', () => {
  it('is a circle, a name of nobody, or a word that is none of ours: all of them are told', () => {
    const objects = [
      object('Secret', after('ConfigMap/configmap')),
      object('ConfigMap', after('Secret/secret')),
      object('Pod', after('Job/nobody')),
      object('Job', { ...shared('apps/x'), 'todo-deploy.dev/wave': 'soon' }),
      object('CronJob', { 'todo-deploy.dev/weight': 'heavy' }),
    ]
    const problems = orderProblems(objects).join('\n')
    expect(problems).toContain('Job job: todo-deploy.dev/wave is "soon"; it may be namespace,')
    expect(problems).toContain('CronJob cronjob: todo-deploy.dev/weight is "heavy"')
    expect(problems).toContain('Pod pod depends on "Job/nobody", which is not in this release')
    expect(problems).toContain('Job job depends on "apps/x", which names nothing')
    expect(problems).toContain(
      'these wait for each other: Secret secret → ConfigMap configmap → Secret secret',
    )
    expect(splitWaves(objects).flatMap((wave) => wave.objects)).toHaveLength(5)
  })
})
