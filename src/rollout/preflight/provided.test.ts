import { describe, expect, it } from '@jest/globals'
import { answer, fakeCluster } from '../../../tests/fakes/cluster.ts'
import type { KubeObject } from '../../render/manifest.ts'
import { requireProvided } from './provided.ts'

const place = '/api/v1/namespaces/todo/secrets/todo-secrets'
const secret = (name: string, keys: readonly string[] = []): KubeObject => ({
  ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'todo' } },
  data: Object.fromEntries(keys.map((key) => [key, 'dmFsdWU='])),
})
const workload = (name: string, spec: object): KubeObject => ({
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'todo' } },
  spec: { template: { spec } },
})
const mounts = (name: string, ...keys: readonly string[]) =>
  workload(name, {
    volumes: [{ secret: { secretName: 'todo-secrets', items: keys.map((key) => ({ key })) } }],
  })
const operators = (kind: string, more: object = {}): KubeObject => ({
  ...{ apiVersion: 'external-secrets.io/v1', kind, ...more },
  metadata: { name: 'todo-secrets', namespace: 'todo' },
})

describe('a Secret that is provided from outside', () => {
  it('is asked for before anything is written, once for all that need it', async () => {
    const objects = [mounts('backend', 'AUTH_SECRET'), mounts('mcp-server')]
    await expect(requireProvided(objects, fakeCluster())).rejects.toThrow(
      'Secrets from outside of the release are missing, provide them before: Secret todo/todo-secrets is not there; ' +
        'needed by Deployment todo/backend, Deployment todo/mcp-server',
    )
  })

  it('must have the keys that are read', async () => {
    const cluster = fakeCluster({ [place]: secret('todo-secrets', ['DATABASE_URL']) })
    await expect(requireProvided([mounts('mcp-server', 'DATABASE_URL')], cluster)).resolves.toBe(
      undefined,
    )
    const objects = [mounts('backend', 'DATABASE_URL', 'AUTH_SECRET')]
    await expect(requireProvided(objects, cluster)).rejects.toThrow('has no AUTH_SECRET; needed by')
  })

  it.each([
    { name: 'a variable', container: { env: [{ valueFrom: { secretKeyRef: ref('KEY') } }] } },
    { name: 'all variables', container: { envFrom: [{ secretRef: ref() }] } },
  ])('is found where $name comes from it', async ({ container }) => {
    const object = workload('backend', { initContainers: [container] })
    await expect(requireProvided([object], fakeCluster())).rejects.toThrow('is not there')
  })

  it.each([
    { name: 'the release brings it', other: secret('todo-secrets') },
    { name: 'an operator makes it', other: operators('ExternalSecret') },
    {
      name: 'an operator makes it under another name',
      other: {
        ...operators('ExternalSecret', { spec: { target: { name: 'todo-secrets' } } }),
        metadata: { name: 'values', namespace: 'todo' },
      },
    },
  ])('is none where $name', async ({ other }) => {
    const objects = [mounts('backend'), other]
    await expect(requireProvided(objects, fakeCluster())).resolves.toBe(undefined)
  })

  it.each([
    { name: 'its pods do without', cluster: fakeCluster(), optional: true },
    { name: 'this login may not look', cluster: forbidden(), optional: false },
  ])('is not asked for where $name', async ({ cluster, optional }) => {
    const volumes = [{ secret: { secretName: 'todo-secrets', optional } }]
    await expect(requireProvided([workload('backend', { volumes })], cluster)).resolves.toBe(
      undefined,
    )
  })
})

function ref(key?: string): object {
  return { name: 'todo-secrets', ...(key === undefined ? {} : { key }) }
}

function forbidden(): ReturnType<typeof fakeCluster> {
  const cluster = fakeCluster()
  cluster.intercept = () => answer(403, { message: 'forbidden' })
  return cluster
}
