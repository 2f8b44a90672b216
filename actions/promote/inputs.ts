export const promoteInputs = {
  release: { type: 'text', default: '' },
  from: { type: 'text', default: '' },
  to: { type: 'text', default: '' },
  mode: { type: 'choice', allowed: ['plan', 'apply', 'rollback', 'status'], default: 'apply' },
  reason: { type: 'text', default: '' },
  manifests: { type: 'text', default: 'k8s' },
  timeout: { type: 'seconds', default: '300s' },
  kubeconfig: { type: 'text', default: '' },
  context: { type: 'text', default: '' },
} as const
