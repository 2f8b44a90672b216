import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findEnvironment, parseEnvironments } from '../../src/environments/environments.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import type { DeployOptions } from '../../src/rollout/outcome.ts'
import type { World } from '../../src/world.ts'
import { type FakeWorld, fakeWorld, plainKustomize } from './world.ts'

export const NAMESPACE = 'todo'

const environments = parseEnvironments(
  `application: todo\nenvironments: { dev: { overlay: overlays/dev, namespace: ${NAMESPACE} } }`,
)
const IMAGE = `ghcr.io/todo/web@sha256:${'a'.repeat(64)}`

export const namespaceObject: KubeObject = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: NAMESPACE },
}

export function configMap(name: string, data: Readonly<Record<string, string>> = {}): KubeObject {
  const metadata = { name, namespace: NAMESPACE }
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }
}

export function service(name: string): KubeObject {
  const metadata = { name, namespace: NAMESPACE }
  return { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { app: name } } }
}

/** A Deployment of one pod; a `broken` one crashes. */
export function deployment(name: string, how: 'good' | 'better' | 'broken' = 'good'): KubeObject {
  const annotations = how === 'broken' ? { breaks: 'yes' } : { how }
  const spec = { containers: [{ name: 'main', image: IMAGE }] }
  const template = { metadata: { annotations }, spec }
  const metadata = { name, namespace: NAMESPACE }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 1, template } }
}

/** What a deploy of these objects is asked for, as release `identity`. */
export function deployOf(
  identity: string,
  objects: readonly KubeObject[],
  more: Partial<DeployOptions> = {},
): DeployOptions {
  const yaml = objects.map((object) => JSON.stringify(object)).join('\n---\n')
  return {
    source: {
      identity,
      manifests: new Map([['overlays/dev/all.yaml', Buffer.from(yaml)]]),
      images: { version: 1, images: {} },
    },
    application: 'todo',
    environment: findEnvironment(environments, 'dev'),
    mode: 'apply',
    timeoutSeconds: 60,
    prune: true,
    onFailure: 'rollback',
    holder: `run-of-${identity}`,
    settleSeconds: 0,
    ...more,
  }
}

/** A world in which the application can be rendered; its workspace is the caller's to remove. */
export async function deployWorld(given: Partial<World> = {}): Promise<FakeWorld> {
  const workspace = await mkdtemp(join(tmpdir(), 'deploy-'))
  return fakeWorld({ workspace, run: plainKustomize, ...given })
}
