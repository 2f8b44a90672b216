import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { fakeWorld, plainKustomize } from '../../tests/fakes/world.ts'
import { findEnvironment, parseEnvironments } from '../environments/environments.ts'
import type { RunProgram } from '../world.ts'
import { topKustomization } from './kustomize.ts'
import { renderEnvironment } from './render.ts'

const digest = `sha256:${'a'.repeat(64)}`
const reference = `localhost:5001/todo/backend@${digest}`
const images = { version: 1, images: { backend: { reference, digest, size: 7 } } } as const
const environment = findEnvironment(
  parseEnvironments(`
application: todo
environments:
  dev: { overlay: overlays/dev, namespace: todo-dev, components: [components/model] }
`),
  'dev',
)

let workspace = ''
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'render-'))
})
afterEach(async () => {
  await rm(workspace, { recursive: true })
})

function render(yaml: string, run: RunProgram = plainKustomize, hostPrefix = '') {
  const manifests = new Map([['overlays/dev/all.yaml', Buffer.from(yaml)]])
  const source = { manifests, images }
  return renderEnvironment(source, { ...environment, hostPrefix }, fakeWorld({ workspace, run }))
}

function workload(kind: string, image: string): string {
  const spec = { template: { spec: { containers: [{ name: 'main', image }] } } }
  return JSON.stringify({ apiVersion: 'v1', kind, metadata: { name: 'migrate' }, spec })
}

describe('what is laid over an overlay', () => {
  it('is the namespace, the components and every image by its digest', () => {
    expect(topKustomization(images, environment)).toMatchObject({
      namespace: 'todo-dev',
      resources: ['../overlays/dev'],
      components: ['../components/model'],
      images: [{ name: 'backend', newName: 'localhost:5001/todo/backend', digest }],
    })
  })
})

describe('a rendered environment', () => {
  it('names a Job by what it does: another migration is another Job', async () => {
    const [first] = await render(workload('Job', reference))
    const [same] = await render(workload('Job', reference))
    const [other] = await render(workload('Job', reference.replace(/a{64}/, 'b'.repeat(64))))
    expect(first?.metadata.name).toMatch(/^migrate-[a-f0-9]{8}$/)
    expect(same?.metadata.name).toBe(first?.metadata.name)
    expect(other?.metadata.name).not.toBe(first?.metadata.name)
  })

  it.each([
    ['Ingress', { rules: [{ host: 'todo.test' }] }, { rules: [{ host: 'pr-7.todo.test' }] }],
    ['HTTPRoute', { hostnames: ['todo.test'] }, { hostnames: ['pr-7.todo.test'] }],
  ])('of a preview has an %s with a host of its own', async (kind, spec, expected) => {
    const yaml = JSON.stringify({ apiVersion: 'v1', kind, metadata: { name: 'todo' }, spec })
    expect(await render(yaml, plainKustomize, 'pr-7.')).toMatchObject([{ spec: expected }])
    expect(await render(yaml)).toMatchObject([{ spec }])
  })

  it('is refused where images have no digest, each of them named', async () => {
    const yaml = [workload('Deployment', 'nginx'), workload('StatefulSet', 'redis:8')].join(
      '\n---\n',
    )
    await expect(render(yaml)).rejects.toMatchObject({
      details: [
        'Deployment migrate runs "nginx", which has no digest',
        'StatefulSet migrate runs "redis:8", which has no digest',
      ],
    })
  })

  it('that kustomize refuses has its last line in the first, without our own folders', async () => {
    const stderr = `Error: accumulating resources\nno such file: ${workspace}/render-todo-dev/base/x.yaml\n`
    const run: RunProgram = () => Promise.resolve({ status: 1, stdout: '', stderr })
    await expect(render('', run)).rejects.toThrow(
      'The overlay overlays/dev does not render: no such file: base/x.yaml',
    )
  })
})
