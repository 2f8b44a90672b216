import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { fakeWorld } from '../../tests/fakes/world.ts'
import { findEnvironment, parseEnvironments } from '../environments/environments.ts'
import type { RunProgram } from '../world.ts'
import { renderObjects } from './render.ts'

const digest = `sha256:${'a'.repeat(64)}`
const reference = `localhost:5001/todo/backend@${digest}`
const images = { version: 1, images: { backend: { reference, digest, size: 7 } } } as const
const environment = findEnvironment(
  parseEnvironments(`
application: todo
environments:
  dev: { chart: { path: helm/todo, values: [helm/dev.yaml] }, namespace: todo-dev }
`),
  'dev',
)

let workspace = ''
let argv: readonly string[] = []
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'helm-'))
})
afterEach(async () => {
  await rm(workspace, { recursive: true })
})

/** What helm would print, whatever it is asked. */
async function render(printed: string, more: object = {}, values = 'a: 1') {
  const run: RunProgram = (program) => {
    argv = program.argv
    return Promise.resolve({ status: 0, stdout: printed, stderr: '' })
  }
  const files = { 'helm/todo/Chart.yaml': '', 'helm/todo/values.yaml': values, 'helm/dev.yaml': '' }
  const manifests = new Map(
    Object.entries(files).map(([name, text]) => [name, Buffer.from(text)] as const),
  )
  return await renderObjects(
    { manifests, images, ...more },
    environment,
    fakeWorld({ workspace, run }),
  )
}

function deployment(image: string): string {
  const spec = { template: { spec: { containers: [{ name: 'main', image }] } } }
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'a' },
    spec,
  })
}

describe('a rendered chart', () => {
  it('is asked for as an installation or an upgrade, and for the cluster that there is', async () => {
    await render(deployment(reference))
    expect(argv).toContain('--include-crds')
    expect(argv).not.toContain('--is-upgrade')
    const cluster = { version: 'v1.34.4', apiVersions: ['v1', 'policy/v1'] }
    await render(deployment(reference), { isUpgrade: true, cluster })
    expect(argv.join(' ')).toContain(
      '--is-upgrade --kube-version v1.34.4 --api-versions v1 --api-versions policy/v1 --values',
    )
  })

  it.each(['backend', 'backend:1.2', 'localhost:5001/todo/backend:latest', reference])(
    'has the digest of the lock file for the image %s',
    async (image) => {
      const [object] = await render(deployment(image))
      expect(JSON.stringify(object)).toContain(`"image":"${reference}"`)
    },
  )

  it('gets the images as values where it has a place for them', async () => {
    await render(deployment(reference))
    expect(argv.at(-1)).toMatch(/dev\.yaml$/)
    await render(deployment(reference), {}, 'global: { images: {} }')
    const file = argv.at(-1) ?? ''
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      global: { images: { backend: reference } },
    })
  })

  it('is refused by the name of its values file where that is not valid YAML', async () => {
    await expect(render(deployment(reference), {}, 'a: 1\na: 2\n')).rejects.toThrow(
      'helm/todo/values.yaml is not valid YAML: duplicated mapping key at line 2',
    )
  })

  it('is in its namespace, but for what belongs to the whole cluster', async () => {
    const role = JSON.stringify({
      ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' },
      metadata: { name: 'all' },
    })
    const objects = await render([deployment(reference), role].join('\n---\n'))
    expect(objects.map(({ metadata }) => metadata.namespace)).toEqual(['todo-dev', undefined])
  })

  it('is refused where the tree lacks its files, each of them named', async () => {
    const world = fakeWorld({ workspace })
    await expect(
      renderObjects({ manifests: new Map(), images }, environment, world),
    ).rejects.toMatchObject({
      details: ['there is no helm/todo/Chart.yaml', 'there is no helm/dev.yaml'],
    })
  })
})
