export const previewInputs = {
  command: { type: 'choice', allowed: ['up', 'down', 'reap'], required: true },
  name: { type: 'text', default: '' },
  release: { type: 'text', default: '' },
  ttl: { type: 'text', default: '72h' },
  manifests: { type: 'text', default: 'k8s' },
  timeout: { type: 'seconds', default: '300s' },
  kubeconfig: { type: 'text', default: '' },
  context: { type: 'text', default: '' },
} as const
