export const verifyInputs = {
  target: { type: 'choice', allowed: ['kind', 'cluster'], default: 'cluster' },
  environment: { type: 'text', required: true },
  release: { type: 'text', default: '' },
  path: { type: 'text', default: 'k8s' },
  profile: { type: 'choice', allowed: ['smoke'], default: 'smoke' },
  checks: { type: 'list', default: '' },
  timeout: { type: 'seconds', default: '300s' },
  kubeconfig: { type: 'text', default: '' },
  context: { type: 'text', default: '' },
} as const
