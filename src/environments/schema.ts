import { DURATION_PATTERN } from './strategy.ts'

/** JSON Schema of `environments.yaml`; published as `schemas/environments.schema.json`. */
const NAME = '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'
const PORT = { type: 'integer', minimum: 1, maximum: 65535 }
const text = (description: string) => ({ type: 'string', minLength: 1, description })

const duration = (description: string) => ({
  type: 'string',
  pattern: DURATION_PATTERN,
  description,
})

const prometheus = {
  type: 'object',
  additionalProperties: false,
  required: ['namespace', 'service', 'port', 'errors'],
  properties: {
    namespace: text('Namespace of Prometheus.'),
    service: text('Service of Prometheus.'),
    port: PORT,
    errors: text('Query for the share of errors, 0 to 1. {pods} becomes a pattern of pod names.'),
    latency: text('Query for the 95th percentile of the latency, in seconds.'),
  },
}

const analysis = {
  type: 'object',
  additionalProperties: false,
  properties: {
    path: {
      type: 'string',
      pattern: '^/',
      description: 'Path that is asked; that of the readiness probe where it is left out.',
    },
    samples: {
      type: 'integer',
      minimum: 5,
      maximum: 10000,
      description: 'Answers that each side needs for a verdict; 30.',
    },
    'max-error-increase': {
      type: 'number',
      minimum: 0,
      maximum: 100,
      description: 'Points by which the share of errors may be higher; 1.',
    },
    'max-latency-ratio': {
      type: 'number',
      minimum: 1,
      description: 'How many times slower the 95th percentile may be; 1.5.',
    },
    prometheus,
  },
  description: 'What is compared between the new pods and those of before, at the same time.',
}

const strategy = {
  description: 'How pods are replaced: the name of a strategy, or its name with its settings.',
  if: { type: 'string' },
  then: { enum: ['rolling', 'blue-green', 'canary'] },
  else: {
    type: 'object',
    additionalProperties: false,
    required: ['type'],
    properties: {
      type: { enum: ['rolling', 'blue-green', 'canary'] },
      'bake-time': duration('How long the old pods stay for an instant way back; 60s.'),
      steps: {
        type: 'array',
        minItems: 1,
        maxItems: 20,
        items: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 100 },
        description: 'Canary: percent of the requests, rising; 100 comes by itself; 10 and 50.',
      },
      pause: duration('Canary: how long each step is looked at; 60s.'),
      tolerance: {
        type: 'number',
        minimum: 0,
        maximum: 100,
        description: 'Canary: points by which the achieved share may differ from a step; 10.',
      },
      analysis,
    },
  },
}

const environment = {
  type: 'object',
  additionalProperties: false,
  required: ['namespace'],
  oneOf: [{ required: ['overlay'] }, { required: ['chart'] }],
  properties: {
    overlay: text('Kustomize overlay, as a path below the manifest tree.'),
    chart: {
      type: 'object',
      additionalProperties: false,
      required: ['path'],
      properties: {
        path: text('Folder of a Helm chart, as a path below the manifest tree.'),
        values: {
          type: 'array',
          items: { type: 'string' },
          description: 'Values files below the manifest tree, later ones over earlier ones.',
        },
      },
      description: 'A Helm chart instead of an overlay.',
    },
    namespace: {
      type: 'string',
      pattern: '^[a-z0-9]([a-z0-9{}-]{0,61}[a-z0-9}])?$',
      description: 'Namespace. A preview environment has {name} in it.',
    },
    components: {
      type: 'array',
      items: { type: 'string' },
      description: 'Kustomize components added to the overlay, as paths below the manifest tree.',
    },
    url: { type: 'string', description: 'Address people open.' },
    after: text('The environment a release must have been verified in before it may come here.'),
    preview: { type: 'boolean', description: 'A pattern for pull request environments.' },
    strategy,
  },
}

const http = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'service', 'port', 'path'],
  properties: {
    name: text('Name of the check.'),
    service: text('Service in the namespace.'),
    port: PORT,
    path: { type: 'string', pattern: '^/' },
  },
}

const mcp = {
  type: 'object',
  additionalProperties: false,
  required: ['service', 'port', 'path', 'headers', 'tools', 'call'],
  properties: {
    service: text('Service of the MCP server.'),
    port: PORT,
    path: { type: 'string', pattern: '^/' },
    headers: { type: 'object', additionalProperties: { type: 'string' } },
    tools: { type: 'array', items: { type: 'string' }, description: 'Tools that must be listed.' },
    call: {
      type: 'object',
      additionalProperties: false,
      required: ['name', 'arguments'],
      properties: { name: text('Tool to call.'), arguments: { type: 'object' } },
    },
  },
}

const database = {
  type: 'object',
  additionalProperties: false,
  required: ['image', 'secret', 'key'],
  properties: {
    image: text('Image of the set that has psql.'),
    secret: text('Secret that holds the connection URL.'),
    key: text('Key of the URL in the Secret.'),
  },
}

export const schema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Environments of an application',
  type: 'object',
  additionalProperties: false,
  required: ['application', 'environments'],
  properties: {
    application: { type: 'string', pattern: NAME },
    environments: {
      type: 'object',
      minProperties: 1,
      propertyNames: { pattern: NAME },
      additionalProperties: environment,
    },
    verify: {
      type: 'object',
      additionalProperties: false,
      properties: {
        http: { type: 'array', items: http },
        mcp,
        database,
        dns: {
          type: 'object',
          additionalProperties: { type: 'array', items: { type: 'string' } },
          description: 'Caller workload → Services it must resolve.',
        },
      },
    },
  },
}
