import { describe, expect, it } from '@jest/globals'
import { UserError } from '../errors.ts'
import { imagesOf, keyOf, type KubeObject, nameOf, parseManifests } from './manifest.ts'

const service = 'apiVersion: v1\nkind: Service\nmetadata: { name: web, namespace: todo }\n'

describe('rendered manifests', () => {
  it('are read document by document, empty ones left out and lists opened', () => {
    const list = `kind: List\nitems: [{ apiVersion: v1, kind: ConfigMap, metadata: { name: a } }]\n`
    const objects = parseManifests(`---\n${service}---\n# nothing\n---\n${list}`, 'it')
    expect(objects.map(nameOf)).toEqual(['Service todo/web', 'ConfigMap a'])
  })

  it('are refused for all of their faults at once', () => {
    const nameless = 'apiVersion: v1\nkind: Service\n'
    const broken = 'a: 1\na: 2\n'
    const text = [service, nameless, broken, service].join('---\n')
    let problems: readonly string[] = []
    try {
      parseManifests(text, 'the overlay')
    } catch (error) {
      problems = error instanceof UserError ? error.details : []
    }
    expect(problems).toEqual([
      'document 2 lacks apiVersion, kind or name',
      expect.stringContaining('document 3'),
      'Service todo/web is there twice',
    ])
  })

  it('are read as kubectl reads them, which charts rely on: modes of files are octal', () => {
    const text = 'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec: { mode: 0400, on: yes }\n'
    expect(parseManifests(text, 'the chart')[0]?.['spec']).toEqual({ mode: 256, true: true })
  })

  it('that are nothing are refused: all that runs would be removed', () => {
    expect(() => parseManifests('---\n', 'the overlay')).toThrow('renders to nothing')
  })
})

describe('an object', () => {
  const deployment = (apiVersion: string): KubeObject => ({
    apiVersion,
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'todo' },
  })

  it('is the same one in another version of its group', () => {
    expect(keyOf(deployment('apps/v1beta1'))).toBe(keyOf(deployment('apps/v1')))
    expect(keyOf(deployment('other/v1'))).not.toBe(keyOf(deployment('apps/v1')))
  })

  const pod = { initContainers: [{ image: 'init' }], containers: [{ image: 'main' }] }
  it.each([
    { kind: 'Pod', spec: pod },
    { kind: 'Deployment', spec: { template: { spec: pod } } },
    { kind: 'Job', spec: { template: { spec: pod } } },
    { kind: 'CronJob', spec: { jobTemplate: { spec: { template: { spec: pod } } } } },
  ])('of kind $kind runs the images of its pods', ({ kind, spec }) => {
    expect(imagesOf({ apiVersion: 'v1', kind, metadata: { name: 'x' }, spec })).toEqual([
      'init',
      'main',
    ])
  })
})
