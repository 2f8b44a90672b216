export function serviceOf(name: string, port: number): object {
  return { metadata: { name }, spec: { selector: { app: name }, ports: [{ port }] } }
}

export function databasePod(image: string): object {
  return podOf('database', {
    image,
    env: [{ name: 'POSTGRES_PASSWORD_FILE', value: '/run/admin/password' }],
    readinessProbe: probe(['pg_isready', '--host=127.0.0.1', '--username=todo']),
    mounts: { '/run/admin': { secret: { secretName: 'admin' } } },
    writable: ['/var/lib/postgresql/data', '/var/run/postgresql', '/tmp'],
  })
}

export function vaultPod(image: string): object {
  return podOf('vault', {
    image,
    command: ['node', '/program/vault.ts'],
    env: [
      { name: 'VAULT_CONFIG', value: '/run/vault/config' },
      // The cluster's keys are asked for with the token of the pod, over TLS.
      {
        name: 'NODE_EXTRA_CA_CERTS',
        value: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
      },
    ],
    readinessProbe: { httpGet: { path: '/v1/sys/health', port: 8200 }, periodSeconds: 1 },
    mounts: {
      '/run/vault': { secret: { secretName: 'vault' } },
      '/program': { configMap: { name: 'vault' } },
    },
    writable: ['/tmp'],
  })
}

type Container = {
  readonly image: string
  readonly command?: readonly string[]
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly readinessProbe: object
  /** Folder → what is mounted there. */
  readonly mounts: Readonly<Record<string, object>>
  readonly writable: readonly string[]
}

/** As restricted as the application's own pods. */
function podOf(name: string, { mounts, writable, ...container }: Container): object {
  const places = [
    ...Object.entries(mounts).map(([mountPath, source]) => ({ mountPath, source })),
    ...writable.map((mountPath) => ({ mountPath, source: { emptyDir: {} } })),
  ].map((place, index) => ({ ...place, name: `volume-${index}` }))
  return {
    metadata: { name, labels: { app: name } },
    spec: {
      restartPolicy: 'Never',
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 2,
      securityContext: {
        ...{ runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001 },
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name,
          ...container,
          resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '256Mi' } },
          securityContext: {
            ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: places.map(({ name: volume, mountPath }) => ({ name: volume, mountPath })),
        },
      ],
      volumes: places.map(({ name: volume, source }) => ({ name: volume, ...source })),
    },
  }
}

function probe(command: readonly string[]): object {
  return { exec: { command }, periodSeconds: 1 }
}
