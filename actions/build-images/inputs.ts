import { SEVERITIES } from '../../src/scan/findings.ts'
import { SIGNING } from '../../src/signing/open.ts'

export const buildImagesInputs = {
  'bake-file': { type: 'text', default: 'docker-bake.hcl' },
  targets: { type: 'list', default: '' },
  registry: { type: 'text', required: true },
  builder: { type: 'text', default: '' },
  platforms: { type: 'list', default: '' },
  reproducible: { type: 'flag', default: 'false' },
  push: { type: 'flag', default: 'true' },
  'severity-threshold': { type: 'choice', allowed: ['', ...SEVERITIES, 'none'], default: '' },
  policy: { type: 'text', default: '' },
  baseline: { type: 'text', default: '' },
  'vulnerability-db': { type: 'text', default: '' },
  cache: { type: 'choice', allowed: ['auto', 'none'], default: 'auto' },
  signing: { type: 'choice', allowed: [...SIGNING], default: 'auto' },
  manifests: { type: 'text', default: 'k8s' },
  tools: { type: 'list', default: '' },
} as const
