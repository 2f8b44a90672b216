/** Values that the chart must refuse, and how Helm names the fault. */
export const wrongValues: readonly {
  readonly name: string
  readonly values: unknown
  readonly says: string
}[] = [
  {
    name: 'a tag in place of a digest',
    values: { global: { images: { backend: 'registry.example/todo/backend:1.2' } } },
    says: "at '/global/images/backend': 'registry.example/todo/backend:1.2' does not match",
  },
  {
    name: 'a switch that is not there',
    values: { ingres: { enabled: true } },
    says: "additional properties 'ingres' not allowed",
  },
  {
    name: 'a key that a subchart does not know',
    values: { backend: { replicas: 3 } },
    says: "backend:\n- at '': additional properties 'replicas' not allowed",
  },
  {
    name: 'a variable that the container does not read',
    values: { 'ai-agent': { config: { OPENAI_MODE: 'x' } } },
    says: "at '/config': additional properties 'OPENAI_MODE' not allowed",
  },
  {
    name: 'a word for a switch',
    values: { networkPolicies: { enabled: 'perhaps' } },
    says: "at '/networkPolicies/enabled': got string, want boolean",
  },
  {
    name: 'a number for a text',
    values: { backend: { config: { DATABASE_POOL_SIZE: 3 } } },
    says: "at '/config/DATABASE_POOL_SIZE': got number, want string",
  },
  {
    name: 'a level that is none',
    values: { 'mcp-server': { config: { LOG_LEVEL: 'loud' } } },
    says: "at '/config/LOG_LEVEL': value must be one of 'debug', 'info', 'warning', 'error'",
  },
  {
    name: 'an amount that is none',
    values: { global: { resources: { limits: { memory: 'much' } } } },
    says: "at '/global/resources/limits/memory': 'much' does not match",
  },
  {
    name: 'no replica',
    values: { global: { autoscaling: { minReplicas: 0 } } },
    says: "at '/global/autoscaling/minReplicas': minimum: got 0, want 1",
  },
  {
    name: 'too many replicas',
    values: { frontend: { autoscaling: { maxReplicas: 11 } } },
    says: "at '/autoscaling/maxReplicas': maximum: got 11, want 10",
  },
  {
    name: 'more replicas at least than at most',
    values: {
      global: { autoscaling: { minReplicas: 5 } },
      backend: { autoscaling: { maxReplicas: 4 } },
    },
    says: 'backend.autoscaling: minReplicas 5 is more than maxReplicas 4',
  },
  {
    name: 'an address for a host name',
    values: { host: 'https://todo.example' },
    says: "at '/host': 'https://todo.example' does not match",
  },
]
