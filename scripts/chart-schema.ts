// What the values of the chart may be: one schema for the chart and one for each of its subcharts. Helm checks values against
// them before it renders anything. Written into k8s/helm by scripts/docs.ts, together with the table in the chart's README.
import {
  address,
  BYTES,
  closed,
  count,
  flag,
  HOST,
  NAME,
  optional,
  resources,
  text,
  type Properties,
  type Schema,
} from './chart-values.ts'

const scaling: Properties = {
  minReplicas: count('Replicas that always run.', 1, 10),
  maxReplicas: count('Replicas that run at most.', 1, 10),
  cpu: text('Average CPU above which replicas are added: a share of the request, or an amount.', {
    pattern: '^([1-9][0-9]{0,2}%|[1-9][0-9]*m)$',
  }),
  memory: text('Average memory above which replicas are added, as `cpu`.', {
    pattern: '^([1-9][0-9]{0,2}%|[1-9][0-9]*(Ki|Mi|Gi))$',
  }),
}

const enabled = flag('Whether this part is installed.')

const globalValues = closed('Central values; they reach all subcharts.', {
  images: {
    type: 'object',
    description:
      'Image name → reference by digest. Made of the lock file of a release: `node scripts/chart-images.ts images.lock.json`.',
    additionalProperties: text('Reference by digest.', { pattern: '^\\S+@sha256:[0-9a-f]{64}$' }),
  },
  secrets: closed('The Secret that the workloads read.', {
    name: text('Its name; made by the chart, it gets a hash of its content appended.', {
      pattern: NAME,
    }),
    values: closed(
      'For development only: DATABASE_URL, POSTGRES_PASSWORD, AUTH_SECRET and OPENAI_API_KEY, of which the chart then makes the Secret.',
      {
        DATABASE_URL: text('Address of the database with user and password.', {
          pattern: '^postgres(ql)?://',
        }),
        POSTGRES_PASSWORD: text('Password of the database in the cluster.'),
        AUTH_SECRET: text('Key that signs the tokens of the users.'),
        OPENAI_API_KEY: text('Key of the model provider.'),
      },
    ),
    external: closed('The Secret from a store outside the cluster, see docs/secrets.md.', {
      enabled: flag('Whether it is made so. The External Secrets operator must be installed.'),
      refreshInterval: text('How often the store is read.', { pattern: '^[1-9][0-9]*[smh]$' }),
      path: text('Where the values are in the store.', { pattern: '^[^/\\s](\\S*[^/\\s])?$' }),
      keys: {
        type: 'array',
        description: 'What is taken from there.',
        items: {
          type: 'string',
          enum: ['DATABASE_URL', 'AUTH_SECRET', 'OPENAI_API_KEY', 'POSTGRES_PASSWORD'],
        },
      },
      vault: closed('HashiCorp Vault as the store.', {
        server: address('Address of Vault.'),
        path: text('Where its KV engine, version 2, is mounted.'),
        mountPath: text('Where its authentication by Kubernetes is mounted.'),
        role: text('Role of Vault that is bound to the account todo-secret-store.'),
        audience: text('Audience of the token that Vault is shown.'),
      }),
      provider: {
        type: 'object',
        description: 'Another store in place of Vault: the `provider` of a SecretStore.',
      },
    }),
  }),
  minReadySeconds: count(
    'Seconds that a new pod must be ready before the next is replaced.',
    0,
    120,
  ),
  resources: resources('Requests and limits of every container but `preload-secrets`.'),
  autoscaling: closed('Scaling of frontend, backend, mcp-server and ai-agent by load.', {
    enabled: flag('Whether there are autoscalers. They need metrics-server.'),
    ...scaling,
  }),
  monitoring: closed('Metrics of the services and alert rules, see docs/monitoring.md.', {
    enabled,
  }),
})

const workload = (config: Properties, rest: Properties = {}): Schema => ({
  type: 'object',
  additionalProperties: false,
  properties: {
    // Checked by the schema of the chart above.
    global: { type: 'object' },
    ...(Object.keys(config).length === 0
      ? {}
      : { config: closed('Environment variables of its container.', config) }),
    resources: resources('Its own requests and limits, over the central ones.'),
    ...rest,
  },
})

/** A subchart that is switched by a value of its own. */
const switched = (schema: Schema): Schema => ({
  ...schema,
  properties: { enabled, ...schema.properties },
})

const scales = { autoscaling: closed('Its own scaling, over the central one.', scaling) }
const level = text('How much it logs.', { enum: ['debug', 'info', 'warning', 'error'] })
const pool = text('Connections to the database that one worker process holds at most.', {
  pattern: '^[1-9][0-9]?$',
})

/** By name of the subchart. */
export const subchartSchemas: Readonly<Record<string, Schema>> = {
  frontend: switched(
    workload(
      {
        BACKEND_URL: address('Where /api/* is passed on to.'),
        PORT: text('Port of the container.', { enum: ['3000'] }),
        HOSTNAME: text('Address to listen on.'),
      },
      scales,
    ),
  ),
  backend: switched(
    workload(
      {
        AI_AGENT_URL: address('Where the agent is.'),
        CORS_ORIGINS: text('Origins that may call it from a browser, separated by commas.', {
          pattern: '^(https?://[^,\\s/]+(,https?://[^,\\s/]+)*)?$',
        }),
        DATABASE_POOL_SIZE: pool,
        LOG_LEVEL: level,
      },
      scales,
    ),
  ),
  'mcp-server': switched(workload({ DATABASE_POOL_SIZE: pool, LOG_LEVEL: level }, scales)),
  'ai-agent': switched(
    workload(
      {
        MCP_SERVER_URL: address('Where the MCP endpoint is.'),
        OPENAI_BASE_URL: address('Where the model provider is.'),
        OPENAI_MODEL: text('Which model answers.'),
        LOG_LEVEL: level,
      },
      scales,
    ),
  ),
  database: switched(
    workload(
      {},
      {
        storage: closed('The volume of the database.', {
          size: text('How large it is. It cannot be changed later.', { pattern: BYTES }),
          className: text('Its StorageClass; empty for the default one of the cluster.', {
            pattern: optional(NAME),
          }),
        }),
      },
    ),
  ),
  'local-model': switched(workload({})),
  monitoring: workload({}),
}

/** Of the chart itself; the values of a subchart are left to its own. */
export const chartSchema: Schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    global: globalValues,
    host: text('Host name under which people open the application.', {
      pattern: HOST,
      maxLength: 253,
    }),
    ingress: closed('The way in, for a cluster with an ingress controller.', {
      enabled,
      className: text('IngressClass; empty for the default one of the cluster.', {
        pattern: optional(NAME),
      }),
      annotations: {
        type: 'object',
        description: 'Annotations for the controller.',
        additionalProperties: { type: 'string' },
      },
      tlsSecretName: text('Secret with the certificate of the host; empty for plain HTTP.', {
        pattern: optional(NAME),
      }),
    }),
    gateway: closed('The way in, for a cluster with the Gateway API.', {
      enabled,
      name: text('Name of the Gateway.', { pattern: NAME }),
      namespace: text('Namespace of the Gateway.', { pattern: NAME }),
    }),
    networkPolicies: closed(
      'Nothing may talk to anything but along the edges of the application.',
      {
        enabled,
        modelEgress: {
          type: 'array',
          description: 'More ways of the agent to a model, as egress rules of a NetworkPolicy.',
          items: { type: 'object' },
        },
      },
    ),
    migration: closed('The Job that brings the schema of the database up to the release.', {
      activeDeadlineSeconds: count('Seconds after which it has failed.', 30, 3600),
      resources: resources('Its own requests and limits, over the central ones.'),
    }),
    ...Object.fromEntries(
      Object.entries(subchartSchemas).map(([name, { properties }]) => [
        name,
        {
          type: 'object' as const,
          description: `Values of the subchart ${name}.`,
          properties: properties?.['enabled'] === undefined ? {} : { enabled },
        },
      ]),
    ),
  },
}
