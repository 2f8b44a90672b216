import { describe, expect, it } from '@jest/globals'
import type { Change } from '../../cluster/changes.ts'
import type { KubeObject } from '../../render/manifest.ts'
import { makePlan, planLines } from './plan.ts'

const object = (kind: string, more: object = {}): KubeObject => ({
  ...{ apiVersion: 'v1', kind, metadata: { name: 'web', namespace: 'todo' } },
  ...more,
})
const change = (of: KubeObject, path: string, values: readonly [unknown, unknown]): Change => ({
  object: of,
  action: 'update',
  fields: [path],
  differences: [{ path, before: values[0], after: values[1] }],
})
const mask = (text: string) => text.replaceAll('hunter2', '***')
const plan = (changes: readonly Change[], remove: readonly KubeObject[] = []) =>
  makePlan({ release: 'r1', changes, remove }, mask)

describe('a plan', () => {
  it('reads line by line: what comes, what changes and how, what goes', () => {
    const created: Change = { object: object('Service'), action: 'create', fields: [] }
    const stays: Change = { object: object('Role'), action: 'unchanged', fields: [] }
    const taken = { ...change(object('Pod'), '.spec.a', [1, undefined]), taken: ['helm'] }
    const text = change(object('ConfigMap'), '.data.conf', ['a\nb\nc\n', 'a\nB\nc\n'])
    expect(planLines(plan([created, stays, taken, text], [object('Job')]))).toEqual([
      '+ Service todo/web',
      '~ Pod todo/web (taken over from helm)',
      '    - .spec.a: 1',
      '~ ConfigMap todo/web',
      '    .data.conf:',
      '      - b',
      '      + B',
      '- Job todo/web',
    ])
  })

  it('hides what Secrets hold, and their values wherever else they stand', () => {
    const secret = change(object('Secret'), '.data.password', ['YQ==', 'Yg=='])
    const settings = change(object('ConfigMap'), '.data.url', [undefined, 'http://u:hunter2@host'])
    const applied = '.metadata.annotations.kubectl.kubernetes.io/last-applied-configuration'
    const copy = change(object('Secret'), applied, ['{"data":{"password":"YQ=="}}', undefined])
    const text = JSON.stringify(plan([secret, settings, copy]))
    for (const value of ['YQ==', 'Yg==', 'hunter2']) expect(text).not.toContain(value)
    expect(planLines(plan([secret]))).toEqual(['~ Secret todo/web', '    .data.password: changed'])
  })

  it('has a hash that tells a value, an object, a release and a removal apart', () => {
    const base = change(object('ConfigMap'), '.data.a', ['1', '2'])
    const hashes = [
      plan([base]),
      plan([change(object('ConfigMap'), '.data.a', ['1', '3'])]),
      plan([change(object('ConfigMap'), '.data.a', ['0', '2'])]),
      plan([change(object('ConfigMap', { data: { a: '2' } }), '.data.a', ['1', '2'])]),
      plan([base], [object('Job')]),
      makePlan({ release: 'r2', changes: [base], remove: [] }, mask),
    ].map(({ hash }) => hash)
    expect(new Set(hashes).size).toBe(hashes.length)
    expect(plan([base]).hash).toBe(hashes[0])
  })

  it('has a hash that says nothing of what a Secret holds', () => {
    const of = (value: string) =>
      plan([change(object('Secret', { data: { pin: value } }), '.data.pin', ['MA==', value])]).hash
    expect(of('MTIzNA==')).toBe(of('OTk5OQ=='))
  })
})
