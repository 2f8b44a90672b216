import type { KubeObject } from '../../../src/render/manifest.ts'

/** Where a seeded failure is put, and the image that its containers run. */
export type Seed = { readonly namespace: string; readonly image: string }

type PodSpec = Readonly<Record<string, unknown>>
type Container = Readonly<Record<string, unknown>>

const SERVE = 'touch /tmp/up; trap "exit 0" TERM; while :; do sleep 0.2; done'

/** A good release of one small server. */
export function goodRelease(
  seed: Seed,
  more: { readonly version?: string } = {},
): readonly KubeObject[] {
  return [service(seed), deployment(seed, { command: shell(`: ${more.version ?? ''}; ${SERVE}`) })]
}

export function shell(script: string): readonly string[] {
  return ['sh', '-c', script]
}

export function metadataOf(seed: Seed, name: string): KubeObject['metadata'] {
  return { name, namespace: seed.namespace, labels: { 'app.kubernetes.io/name': name } }
}

export function service(seed: Seed, name = 'web'): KubeObject {
  const spec = { selector: { 'app.kubernetes.io/name': name }, ports: [{ port: 80 }] }
  return { apiVersion: 'v1', kind: 'Service', metadata: metadataOf(seed, name), spec }
}

/** A Deployment of one pod with one container; it says that it is ready by a file. */
export function deployment(seed: Seed, container: Container, pod: PodSpec = {}): KubeObject {
  const name = 'web'
  const labels = { 'app.kubernetes.io/name': name }
  const spec = {
    selector: { matchLabels: labels },
    strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    minReadySeconds: 1,
    template: { metadata: { labels }, spec: podSpec(seed, container, pod) },
  }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: metadataOf(seed, name), spec }
}

export function podSpec(seed: Seed, container: Container, pod: PodSpec = {}): PodSpec {
  return {
    terminationGracePeriodSeconds: 1,
    automountServiceAccountToken: false,
    containers: [
      {
        name: 'main',
        image: seed.image,
        command: shell(SERVE),
        resources: { requests: { cpu: '5m', memory: '8Mi' }, limits: { memory: '64Mi' } },
        readinessProbe: { exec: { command: ['test', '-f', '/tmp/up'] }, periodSeconds: 1 },
        ...container,
      },
    ],
    ...pod,
  }
}

export const noProbe = { readinessProbe: undefined }

/** A Job that looks like the migration of a database. */
export function migration(
  seed: Seed,
  script: string,
  annotations: Readonly<Record<string, string>> = {},
): KubeObject {
  const { labels = {}, ...rest } = metadataOf(seed, 'database-migrate')
  const component = { ...labels, 'app.kubernetes.io/component': 'migration' }
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { ...rest, labels: component, annotations },
    spec: {
      backoffLimit: 0,
      template: {
        metadata: { labels: component },
        spec: podSpec(seed, { ...noProbe, command: shell(script) }, { restartPolicy: 'Never' }),
      },
    },
  }
}

export function withSpec(object: KubeObject, more: Readonly<Record<string, unknown>>): KubeObject {
  return { ...object, spec: { ...(object['spec'] as object), ...more } }
}
