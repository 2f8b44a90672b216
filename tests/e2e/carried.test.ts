import { readFile } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import { at, parseJson, textAt } from '../../src/json.ts'
import { cluster, configOf, demoRelease, runningDigests, todoDeploy } from './lab.ts'

const NAMESPACES = ['todo-app-dev', 'todo-app-staging', 'todo-app-prod']
const SERVICES = ['frontend', 'backend', 'mcp-server', 'ai-agent']

describe('after the demo', () => {
  it.each(NAMESPACES)('%s runs exactly the digests of the release', async (namespace) => {
    const report = parseJson(await readFile('out/demo/report.json', 'utf8'), 'the report')
    const running = await runningDigests(namespace)
    for (const service of SERVICES) {
      const promised = textAt(report, 'images', service)?.split('@')[1] ?? ''
      const runs = await configOf(service, running[service] ?? '')
      expect([service, runs]).toEqual([service, await configOf(service, promised)])
    }
  })

  it('has three environments that were brought to the release and passed', async () => {
    const report = parseJson(await readFile('out/demo/report.json', 'utf8'), 'the report')
    for (const name of ['dev', 'staging', 'production'])
      expect(at(report, 'environments', name)).toMatchObject({
        outcome: 'unchanged',
        verdict: 'pass',
        release: await demoRelease(),
      })
  })

  it('deploys the same release again without changing anything', async () => {
    const release = await demoRelease()
    const call = await todoDeploy(['deploy', '--environment', 'dev', '--release', release])
    expect(call.status).toBe(0)
    expect(call.report).toMatchObject({ outcome: 'unchanged', changes: [] })
  })

  it('waits for a pod that is just being replaced, and still changes nothing', async () => {
    const api = await cluster()
    const query = 'labelSelector=app.kubernetes.io%2Fname%3Dbackend'
    await api.call({ method: 'DELETE', path: `/api/v1/namespaces/todo-app-dev/pods?${query}` })
    const release = await demoRelease()
    const call = await todoDeploy(['deploy', '--environment', 'dev', '--release', release])
    expect(call.stderr).toContain('Wait for what is not ready')
    expect(call.report).toMatchObject({ outcome: 'unchanged', changes: [] })
  })

  it('plans without writing', async () => {
    const call = await todoDeploy([
      ...['deploy', '--environment', 'dev', '--release', await demoRelease(), '--mode', 'plan'],
    ])
    expect(call.report).toMatchObject({ outcome: 'planned', changes: [] })
  })

  it('says what runs where', async () => {
    const call = await todoDeploy(['promote', '--mode', 'status'])
    const release = await demoRelease()
    expect(at(call.report, 'environments')).toMatchObject(
      ['dev', 'staging', 'production'].map((name) => ({ name, release, verdict: 'pass' })),
    )
  })
})
