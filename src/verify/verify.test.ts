import { describe, expect, it } from '@jest/globals'
import { answer, type FakeCluster, fakeCluster } from '../../tests/fakes/cluster.ts'
import { fakeWorld } from '../../tests/fakes/world.ts'
import type { Answer, Request } from '../cluster/cluster.ts'
import { findEnvironment, readEnvironments } from '../environments/environments.ts'
import { verify } from './verify.ts'

const manifests = new Map([
  [
    'environments.yaml',
    Buffer.from(`
application: todo
environments: { dev: { overlay: x, namespace: todo } }
verify:
  http:
    - { name: backend, service: backend-service, port: 8000, path: /health }
    - { name: frontend, service: frontend-service, port: 3000, path: /api/health }
  mcp:
    service: mcp-service
    port: 8001
    path: /mcp
    headers: { X-User-Id: verify }
    tools: [add_task, list_tasks]
    call: { name: list_tasks, arguments: {} }
`),
  ],
])
const digest = `sha256:${'a'.repeat(64)}`
const release = {
  ...{ reference: `ghcr.io/todo/release@${digest}`, digest, manifests, revision: '' },
  descriptor: { mediaType: 'm', digest, size: 1 },
  images: { version: 1, images: {} },
} as const
const environment = findEnvironment(readEnvironments(manifests), 'dev')

const http = (service: string, status: number) => ({ path: service, reply: answer(status, 'so') })

/** A cluster whose services answer as given; the rest of them answers 200. */
function services(...given: readonly { readonly path: string; readonly reply: Answer }[]) {
  const cluster = fakeCluster()
  cluster.intercept = ({ path }) =>
    given.find((one) => path.includes(one.path))?.reply ?? answer(200, 'ok')
  return cluster
}

function look(cluster: FakeCluster, ...checks: readonly string[]): ReturnType<typeof verify> {
  const options = { environment, release, profile: 'smoke', place: 'dev', checks }
  return verify(options, cluster, fakeWorld())
}

describe('a verdict', () => {
  it('is a pass where every service answers', async () => {
    const { verdict, checks, release: named } = await look(services(), 'http')
    expect(verdict).toBe('pass')
    expect(checks.map(({ name }) => name)).toEqual(['backend', 'frontend'])
    expect(named).toBe(release.reference)
  })

  it('is a failure where one does not, with what was seen', async () => {
    const { verdict, checks } = await look(services(http('backend-service', 503)), 'http')
    expect(verdict).toBe('fail')
    expect(checks[0]?.detail).toBe('backend-service:8000/health answered 503: so')
  })

  it('is inconclusive, never a pass, where a check could not look', async () => {
    const cluster = fakeCluster()
    cluster.intercept = () => {
      throw new Error('connection reset')
    }
    const { verdict, checks } = await look(cluster, 'http')
    expect(verdict).toBe('inconclusive')
    expect(checks).toMatchObject([{ status: 'inconclusive', detail: 'connection reset' }])
  })

  it('is a failure where one check failed and another could not look', async () => {
    const cluster = services(http('backend-service', 500), http('mcp-service', 502))
    const { verdict, checks } = await look(cluster, 'http', 'mcp')
    expect(verdict).toBe('fail')
    expect(checks.map(({ status }) => status)).toEqual(['fail', 'pass', 'inconclusive'])
  })

  it('is refused where a check is asked for that is none', async () => {
    await expect(look(services(), 'http', 'htpp')).rejects.toThrow(
      'There is no check "htpp"; there are http, mcp, database, dns, images',
    )
  })

  it('of a part of the checks does not call itself complete', async () => {
    expect((await look(services(), 'http')).complete).toBe(false)
  })
})

describe('the check of MCP', () => {
  const tools = (...names: readonly string[]) => ({
    result: { tools: names.map((name) => ({ name })) },
  })
  const both = tools('add_task', 'list_tasks')
  const event = (message: unknown) => ({
    ...{
      status: 200,
      body: undefined,
      text: `event: message\ndata: ${JSON.stringify(message)}\n\n`,
    },
  })

  function server(listed: Answer, called: Answer): FakeCluster {
    const cluster = fakeCluster()
    cluster.intercept = ({ body }: Request) => {
      const { method } = body as { readonly method: string }
      if (method === 'tools/list') return listed
      return method === 'tools/call' ? called : answer(200, { result: {} })
    }
    return cluster
  }

  const done = { result: { content: [] } }
  const refused = { result: { isError: true, content: [{ type: 'text', text: 'no user' }] } }
  it.each([
    {
      name: 'plain JSON',
      listed: answer(200, both),
      called: answer(200, done),
      statuses: ['pass', 'pass'],
    },
    {
      name: 'an event of a stream',
      listed: event(both),
      called: event(done),
      statuses: ['pass', 'pass'],
    },
    {
      name: 'a list that lacks a tool',
      listed: answer(200, tools('add_task')),
      called: answer(200, done),
      statuses: ['fail', 'pass'],
    },
    {
      name: 'a call that is an error of the tool',
      listed: answer(200, both),
      called: answer(200, refused),
      statuses: ['pass', 'fail'],
    },
    {
      name: 'a call that is an error of the protocol',
      listed: answer(200, both),
      called: answer(200, { error: { message: 'no' } }),
      statuses: ['pass', 'fail'],
    },
  ])('gives $statuses for $name', async ({ listed, called, statuses }) => {
    const { checks } = await look(server(listed, called), 'mcp')
    expect(checks.map(({ status }) => status)).toEqual(statuses)
  })
})
