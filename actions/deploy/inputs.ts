export const deployInputs = {
  environment: { type: 'text', required: true },
  release: { type: 'text', default: '' },
  path: { type: 'text', default: '' },
  images: { type: 'text', default: '' },
  namespace: { type: 'text', default: '' },
  strategy: { type: 'choice', allowed: ['rolling'], default: 'rolling' },
  mode: { type: 'choice', allowed: ['apply', 'plan'], default: 'apply' },
  timeout: { type: 'seconds', default: '300s' },
  prune: { type: 'flag', default: 'true' },
  'on-failure': { type: 'choice', allowed: ['rollback', 'keep'], default: 'rollback' },
  kubeconfig: { type: 'text', default: '' },
  context: { type: 'text', default: '' },
} as const
