import { describe, expect, it } from '@jest/globals'
import { splitWaves } from './waves.ts'

const object = (kind: string) => ({ apiVersion: 'v1', kind, metadata: { name: kind } })

describe('the waves of a rollout', () => {
  it('write what others need first: the database before its migration, that before the workloads', () => {
    const kinds = [
      'Ingress',
      'Deployment',
      'Job',
      'StatefulSet',
      'Secret',
      'Namespace',
      'HorizontalPodAutoscaler',
    ]
    const waves = splitWaves(kinds.map(object))
    expect(waves.map(({ objects }) => objects.map(({ kind }) => kind))).toEqual([
      ['Namespace'],
      ['Secret'],
      ['StatefulSet'],
      ['Job'],
      ['Deployment'],
      ['Ingress', 'HorizontalPodAutoscaler'],
    ])
  })

  it('have the Secrets that an operator makes ready before anything reads them', () => {
    const kinds = ['Job', 'ExternalSecret', 'StatefulSet', 'SecretStore', 'ServiceAccount']
    const [first] = splitWaves(kinds.map(object))
    expect(first?.objects.map(({ kind }) => kind)).toEqual([
      ...['ServiceAccount', 'SecretStore', 'ExternalSecret'],
    ])
  })

  it('leave none out: a kind that nobody knows comes last', () => {
    const waves = splitWaves([object('Gadget'), object('Service')])
    expect(waves.map(({ name }) => name)).toEqual(['configuration', 'routes'])
  })
})
