/** JSON Schema of `environments.yaml`; published as `schemas/environments.schema.json`. */
const NAME = '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'
const PORT = { type: 'integer', minimum: 1, maximum: 65535 }
const text = (description: string) => ({ type: 'string', minLength: 1, description })

const environment = {
  type: 'object',
  additionalProperties: false,
  required: ['overlay', 'namespace'],
  properties: {
    overlay: text('Kustomize overlay, as a path below the manifest tree.'),
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
