import type { Cluster } from '../../../src/cluster/cluster.ts'
import type { KubeObject } from '../../../src/render/manifest.ts'
import {
  deployment,
  goodRelease,
  metadataOf,
  migration,
  noProbe,
  type Seed,
  service,
  shell,
  withSpec,
} from './objects.ts'

/** A release that can't become ready, and what must be said about it. */
export type Failure = {
  readonly name: string
  /** Codes that name the cause rightly. */
  readonly codes: readonly string[]
  /** What the first line must hold. */
  readonly says: RegExp
  readonly objects: (seed: Seed) => readonly KubeObject[]
  /** What an administrator has done to the namespace before. */
  readonly prepare?: (seed: Seed, cluster: Cluster) => Promise<void>
  /** Where only the deadline can tell. */
  readonly timeoutSeconds?: number
}

/** The set: tiny, reusable, and each a failure that people really meet. */
export const failures: readonly Failure[] = [
  {
    name: 'wrong image',
    codes: ['image-not-found'],
    says: /the image \S+ is not in its registry/,
    objects: (seed) => [
      service(seed),
      deployment(seed, { image: seed.image.replace(/sha256:.*/, `sha256:${'0'.repeat(64)}`) }),
    ],
  },
  {
    name: 'wrong tag, right name',
    codes: ['image-reference-invalid'],
    says: /has no digest/,
    objects: (seed) => [
      service(seed),
      deployment(seed, { image: seed.image.replace(/@sha256:.*/, ':no-such-tag') }),
    ],
  },
  {
    name: 'missing secret key',
    codes: ['secret-key-missing'],
    says: /Secret settings has no key TOKEN/,
    objects: (seed: Seed): readonly KubeObject[] => {
      const valueFrom = { secretKeyRef: { name: 'settings', key: 'TOKEN' } }
      return [
        {
          ...{ apiVersion: 'v1', kind: 'Secret', metadata: metadataOf(seed, 'settings') },
          stringData: { OTHER: 'of-no-value' },
        },
        service(seed),
        deployment(seed, { env: [{ name: 'TOKEN', valueFrom }] }),
      ]
    },
  },
  {
    name: 'missing ConfigMap',
    codes: ['config-map-missing'],
    says: /there is no ConfigMap missing/,
    objects: (seed) => [
      service(seed),
      deployment(seed, { envFrom: [{ configMapRef: { name: 'missing' } }] }),
    ],
  },
  {
    name: 'crash at start',
    codes: ['crash-loop'],
    says: /exits with status 3/,
    objects: (seed) => [
      service(seed),
      deployment(seed, { ...noProbe, command: shell('echo the last words; exit 3') }),
    ],
  },
  {
    name: 'crash after ready',
    codes: ['crash-loop'],
    says: /exits with status 4/,
    objects: (seed) => [
      service(seed),
      withSpec(deployment(seed, { command: shell('touch /tmp/up; sleep 4; exit 4') }), {
        minReadySeconds: 0,
      }),
    ],
  },
  {
    name: 'wrong command',
    codes: ['container-cannot-start'],
    says: /no-such-program/,
    objects: (seed) => [service(seed), deployment(seed, { command: ['no-such-program'] })],
  },
  {
    name: 'never ready',
    codes: ['not-ready'],
    says: /readiness probe failed/,
    timeoutSeconds: 20,
    objects: (seed) => [
      service(seed),
      deployment(seed, {
        readinessProbe: { exec: { command: shell('echo not yet; exit 1') }, periodSeconds: 1 },
      }),
    ],
  },
  {
    name: 'dead by its liveness probe',
    codes: ['liveness-failed'],
    says: /liveness probe fails/,
    objects: (seed) => [
      service(seed),
      deployment(seed, {
        ...{ readinessProbe: { exec: { command: ['false'] }, periodSeconds: 1 } },
        livenessProbe: {
          ...{ exec: { command: shell('echo locked; exit 1') }, periodSeconds: 1 },
          failureThreshold: 1,
        },
      }),
    ],
  },
  {
    name: 'out of memory',
    codes: ['out-of-memory'],
    says: /more memory than its limit/,
    objects: (seed) => [
      service(seed),
      deployment(seed, {
        command: shell('head -c 200m /dev/zero | tail -c 199m | sleep 9'),
        resources: { requests: { cpu: '5m', memory: '8Mi' }, limits: { memory: '24Mi' } },
      }),
    ],
  },
  {
    name: 'unschedulable',
    codes: ['unschedulable'],
    says: /no node can take its pod/,
    objects: (seed) => [service(seed), deployment(seed, {}, { nodeSelector: { disk: 'of-gold' } })],
  },
  {
    name: 'quota',
    codes: ['quota-exceeded'],
    says: /exceeded quota/,
    prepare: async (seed: Seed, cluster: Cluster): Promise<void> => {
      await cluster.call({
        method: 'POST',
        path: `/api/v1/namespaces/${seed.namespace}/resourcequotas`,
        body: { metadata: { name: 'small' }, spec: { hard: { pods: '1' } } },
      })
    },
    objects: (seed) => goodRelease(seed, { version: 'of-quota' }),
  },
  {
    name: 'denied by admission',
    codes: ['admission-denied'],
    says: /violates PodSecurity/,
    objects: (seed) => [service(seed), deployment(seed, { securityContext: { privileged: true } })],
  },
  {
    name: 'service account missing',
    codes: ['service-account-missing'],
    says: /nobody/,
    objects: (seed) => [service(seed), deployment(seed, {}, { serviceAccountName: 'nobody' })],
  },
  {
    name: 'failing migration',
    codes: ['migration-failed'],
    says: /Job \S+ will not become ready: it failed/,
    objects: (seed) => [
      ...goodRelease(seed, { version: 'after-migration' }),
      migration(seed, 'exit 1'),
    ],
  },
  {
    name: 'bad volume',
    codes: ['volume-failed'],
    says: /its volume can't be made/,
    objects: (seed) => [
      {
        ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: metadataOf(seed, 'data') },
        spec: {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Mi' } },
          storageClassName: 'of-gold',
        },
      },
      service(seed),
      deployment(
        seed,
        { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
        { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] },
      ),
    ],
  },
  {
    name: 'a volume with a wrong key',
    codes: ['config-map-key-missing', 'volume-failed'],
    says: /its configuration is incomplete|its volume can't be mounted/,
    objects: (seed) => [
      {
        ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: metadataOf(seed, 'files') },
        data: { 'a.txt': 'a' },
      },
      service(seed),
      deployment(
        seed,
        { volumeMounts: [{ name: 'files', mountPath: '/files' }] },
        {
          volumes: [
            {
              name: 'files',
              configMap: { name: 'files', items: [{ key: 'b.txt', path: 'b.txt' }] },
            },
          ],
        },
      ),
    ],
  },
]
