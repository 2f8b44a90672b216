import { describe, expect, it } from '@jest/globals'
import { isRemovedAfterSuccess, placeHooks } from './hooks.ts'
import type { KubeObject } from './manifest.ts'

const hook = (
  kind: string,
  events: string,
  more: Readonly<Record<string, string>> = {},
): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: events.split(',')[0] ?? '', annotations: { 'helm.sh/hook': events, ...more } },
})
const placed = (objects: readonly KubeObject[], isUpgrade: boolean) =>
  placeHooks(objects, isUpgrade).objects.map(({ metadata }) => [
    metadata.name,
    metadata.annotations?.['todo-deploy.dev/wave'] ?? '',
    metadata.annotations?.['todo-deploy.dev/weight'] ?? '',
  ])

describe('the hooks of a chart', () => {
  const all = [
    hook('Job', 'pre-install', { 'helm.sh/hook-weight': '-5' }),
    hook('Job', 'pre-upgrade,pre-install'),
    hook('Job', 'post-install'),
    hook('ConfigMap', 'pre-install'),
    hook('Job', 'post-upgrade', { 'helm.sh/hook-weight': '3' }),
    hook('Pod', 'test'),
    hook('Job', 'pre-delete'),
  ]

  it('have their places in an installation', () => {
    expect(placed(all, false)).toEqual([
      ['pre-install', 'migration', '-5'],
      ['pre-upgrade', 'migration', '0'],
      ['post-install', 'after', '0'],
      ['pre-install', '', ''],
    ])
  })

  it('have other ones in an upgrade, and those without a place are named', () => {
    expect(placed(all, true)).toEqual([
      ['pre-upgrade', 'migration', '0'],
      ['post-upgrade', 'after', '3'],
    ])
    expect(placeHooks(all, true).said).toContain('left out: Pod test, a hook for test')
  })

  it('are refused where they are bare Pods, which can not be run again', () => {
    expect(() => placeHooks([hook('Pod', 'pre-install')], false)).toThrow(
      'The chart has hooks that can not be run: Pod pre-install is a hook; make it a Job',
    )
  })

  it('go after their work only where they wish to', () => {
    const policy = (text: string) =>
      hook('Job', 'pre-install', { 'helm.sh/hook-delete-policy': text })
    expect(isRemovedAfterSuccess(policy('before-hook-creation, hook-succeeded'))).toBe(true)
    expect(isRemovedAfterSuccess(policy('before-hook-creation'))).toBe(false)
    expect(isRemovedAfterSuccess(hook('Job', 'pre-install'))).toBe(false)
  })
})
