import { describe, expect, it } from '@jest/globals'
import { type FakeCluster, fakeCluster } from '../../tests/fakes/cluster.ts'
import { fakeWorld } from '../../tests/fakes/world.ts'
import { parseEnvironments, previewEnvironment } from '../environments/environments.ts'
import { textAt } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'
import {
  EXPIRES,
  markPreview,
  parseTtl,
  PREVIEW_LABEL,
  reapPreviews,
  removePreview,
  requirePreviewName,
} from './preview.ts'

const environments = parseEnvironments(`
application: todo
environments: { preview: { overlay: x, namespace: 'todo-{name}', preview: true } }
`)
const environment = previewEnvironment(environments, 'pr-42')
const path = '/api/v1/namespaces/todo-pr-42'

function namespace(name: string, expires?: string): KubeObject {
  const labels = expires === undefined ? {} : { [PREVIEW_LABEL]: name }
  const annotations = { [EXPIRES]: expires ?? '2020-01-01T00:00:00.000Z' }
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels, annotations } }
}

function mark(cluster: FakeCluster, ttl: number): Promise<string> {
  return markPreview({ environment, name: 'pr-42', ttl }, cluster, fakeWorld())
}

describe('the name of a preview', () => {
  it.each(['pr-42', 'a', 'feature-login', 'x'.repeat(40)])('may be %s', (name) => {
    expect(requirePreviewName(name)).toBe(name)
  })

  it.each(['', 'PR-42', 'pr_42', 'pr/42', '-pr', 'pr-', '../kube-system', 'x'.repeat(41)])(
    'may not be "%s"',
    (name) => {
      expect(() => requirePreviewName(name)).toThrow("can't name a preview")
    },
  )
})

describe('a time to live', () => {
  it.each([
    { text: '30m', milliseconds: 1_800_000 },
    { text: '72h', milliseconds: 259_200_000 },
    { text: '7d', milliseconds: 604_800_000 },
  ])('of $text is $milliseconds ms', ({ text, milliseconds }) => {
    expect(parseTtl(text)).toBe(milliseconds)
  })

  it.each(['', '72', '1.5h', '-1h', '1w', 'h', '99999999999d'])('is not "%s"', (text) => {
    expect(() => parseTtl(text)).toThrow('is no time to live')
  })
})

describe('a preview', () => {
  it('is marked with the moment it ends, and renewed by the next push', async () => {
    const cluster = fakeCluster()
    expect(await mark(cluster, 60_000)).toBe('2026-11-21T12:01:00.000Z')
    await mark(cluster, 120_000)
    const live = cluster.objects.get(path)
    expect(textAt(live, 'metadata', 'annotations', EXPIRES)).toBe('2026-11-21T12:02:00.000Z')
    expect(textAt(live, 'metadata', 'labels', PREVIEW_LABEL)).toBe('pr-42')
  })

  it('does not take over a namespace that is none', async () => {
    const cluster = fakeCluster({ [path]: namespace('todo-pr-42') })
    cluster.writes.length = 0
    await expect(mark(cluster, 60_000)).rejects.toThrow('is there and is no preview')
    expect(cluster.writes).toEqual([])
  })
})

describe('the removal of a preview', () => {
  it('takes its namespace away, and has nothing to do the second time', async () => {
    const cluster = fakeCluster()
    await mark(cluster, 60_000)
    expect(await removePreview('todo-pr-42', cluster, fakeWorld())).toBe(true)
    expect(await removePreview('todo-pr-42', cluster, fakeWorld())).toBe(false)
  })

  it('is refused for a namespace that is none', async () => {
    const cluster = fakeCluster({ '/api/v1/namespaces/prod': namespace('prod') })
    await expect(removePreview('prod', cluster, fakeWorld())).rejects.toThrow('is not removed')
    expect(cluster.writes).toEqual([])
  })

  it('is waited for only so long, and then names the usual reason', async () => {
    const cluster = fakeCluster({ [path]: namespace('todo-pr-42', 'x') })
    cluster.intercept = ({ method }) =>
      method === 'DELETE' ? { status: 200, body: {}, text: '' } : undefined
    await expect(removePreview('todo-pr-42', cluster, fakeWorld())).rejects.toThrow(
      'still being removed after 180 s; look for finalizers',
    )
  })

  it('reaps those whose time is over, and touches nothing else', async () => {
    const cluster = fakeCluster({
      '/api/v1/namespaces/todo-pr-1': namespace('todo-pr-1', '2026-11-21T11:59:00.000Z'),
      '/api/v1/namespaces/todo-pr-2': namespace('todo-pr-2', '2026-11-21T12:01:00.000Z'),
    })
    expect(await reapPreviews(cluster, fakeWorld())).toEqual(['todo-pr-1'])
    expect([...cluster.objects.keys()]).toEqual(['/api/v1/namespaces/todo-pr-2'])
  })
})
