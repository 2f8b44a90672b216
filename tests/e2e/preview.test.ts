import { describe, expect, it } from '@jest/globals'
import { textAt } from '../../src/json.ts'
import { cluster, demoRelease, runningDigests, statusOf, todoDeploy } from './lab.ts'

const NAMESPACE = 'todo-app-preview-pr-7'

describe('a preview', () => {
  it('comes up in a namespace of its own with the digests of the release', async () => {
    const release = await demoRelease()
    const call = await todoDeploy([
      'preview',
      '--command',
      'up',
      '--name',
      'pr-7',
      '--release',
      release,
    ])
    expect(call.status).toBe(0)
    expect(call.report).toMatchObject({ kind: 'preview', outcome: 'deployed' })
    const [preview, dev] = [await runningDigests(NAMESPACE), await runningDigests('todo-app-dev')]
    expect(preview).toEqual(dev)
  })

  it('is renewed by the next push without a change', async () => {
    const release = await demoRelease()
    const call = await todoDeploy([
      'preview',
      '--command',
      'up',
      '--name',
      'pr-7',
      '--release',
      release,
    ])
    expect(call.report).toMatchObject({ outcome: 'unchanged' })
  })

  it('is left alone by the reaper until its time is over, and then removed', async () => {
    await todoDeploy(['preview', '--command', 'reap'])
    expect(await statusOf(`/api/v1/namespaces/${NAMESPACE}`)).toBe(200)
    const api = await cluster()
    await api.call({
      method: 'PATCH',
      path: `/api/v1/namespaces/${NAMESPACE}`,
      contentType: 'application/merge-patch+json',
      body: {
        metadata: { annotations: { 'todo-deploy.dev/expires': '2020-01-01T00:00:00.000Z' } },
      },
    })
    const call = await todoDeploy(['preview', '--command', 'reap'])
    expect(textAt(call.report, 'outcome')).toBe('removed')
    expect(await statusOf(`/api/v1/namespaces/${NAMESPACE}`)).toBe(404)
  })

  it('is never made out of a namespace that is not one', async () => {
    const call = await todoDeploy(['preview', '--command', 'down', '--name', '../todo-app-prod'])
    expect(call.status).toBe(2)
    expect(call.firstLine).toMatch(/can't name a preview/)
    expect(await statusOf('/api/v1/namespaces/todo-app-prod')).toBe(200)
  })
})
