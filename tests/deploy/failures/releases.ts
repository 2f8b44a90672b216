import type { KubeObject } from '../../../src/render/manifest.ts'
import { deployment, goodRelease, metadataOf, type Seed, service, shell } from './objects.ts'

/** Releases by name, so that another process can make the same ones. */
export function releaseOf(identity: string, seed: Seed): readonly KubeObject[] {
  const configMap = (name: string): KubeObject => ({
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: metadataOf(seed, name) },
    data: { of: identity },
  })
  if (identity === 'broken')
    return [
      configMap('of-broken'),
      service(seed),
      deployment(seed, { command: shell('exit 5'), readinessProbe: undefined }),
    ]
  if (identity === 'slow')
    return [
      configMap('of-slow'),
      service(seed),
      deployment(seed, { command: shell('sleep 12; touch /tmp/up; sleep 600') }),
    ]
  // Each has something that the others have not.
  return [configMap(`of-${identity}`), ...goodRelease(seed, { version: identity })]
}
