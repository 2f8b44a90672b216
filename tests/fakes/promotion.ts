import type { Environment } from '../../src/environments/environments.ts'
import type { Promotion } from '../../src/promote/promote.ts'
import type { DeployResult } from '../../src/rollout/outcome.ts'

const digest = `sha256:${'a'.repeat(64)}`
const release = `registry.example/todo/release@${digest}`

const environment: Environment = {
  name: 'dev',
  overlay: 'overlays/development',
  namespace: 'todo-dev',
  components: [],
  url: 'http://127.0.0.1:30080',
  after: undefined,
  preview: false,
  hostPrefix: '',
  strategy: { type: 'rolling' },
}

const backend = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'backend' } }

const deployed: DeployResult = {
  outcome: 'deployed',
  release,
  planHash: digest,
  changes: [{ object: backend, action: 'update', fields: ['.spec.replicas'] }],
  message: 'ready',
}

/** A promotion that went well, but for what is given of its record. */
export function aPromotion(given: Partial<Promotion['record']> = {}): Promotion {
  return {
    record: {
      ...{ version: 1, release, planHash: digest, outcome: 'deployed', before: '', reason: '' },
      ...{ from: 'dev', to: 'staging', actor: 'somebody', at: '2026-11-21T12:00:00.000Z' },
      images: { backend: `registry.example/todo/backend@${digest}` },
      gates: [{ name: 'verified in dev', open: true, why: 'it passed' }],
      ...given,
    },
    recordDigest: digest,
    deploy: deployed,
    environment,
  }
}
