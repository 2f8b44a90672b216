import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/render/manifest.ts'
import { listAt, textAt } from '../../src/json.ts'
import { metadataOf, podSpec, type Seed, shell } from './failures/objects.ts'
import { openStage, shellImage, type Stage } from './failures/stage.ts'

/** A StatefulSet does not replace a pod that never becomes ready, also where its template is good again (kubernetes#67250). */
let stage: Stage
let seed: Seed
beforeAll(async () => {
  stage = await openStage('stateful')
  seed = { namespace: stage.namespace, image: await shellImage() }
})
afterAll(async () => {
  await stage.close()
})

function statefulSet(container: Readonly<Record<string, unknown>> = {}): readonly KubeObject[] {
  const labels = { 'app.kubernetes.io/name': 'db' }
  const metadata = metadataOf(seed, 'db')
  const spec = {
    serviceName: 'db',
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: podSpec(seed, container) },
  }
  return [{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec }]
}

describe('a StatefulSet whose new pod never becomes ready', () => {
  it('is brought back whole, its stuck pod replaced', async () => {
    const good = await stage.deploy({ identity: 'good', objects: statefulSet() })
    expect(good.outcome).toBe('deployed')
    const broken = statefulSet({ command: shell('exit 6'), readinessProbe: undefined })
    const result = await stage.deploy({ identity: 'broken', objects: broken })
    expect(`${result.outcome}: ${result.message}`).toContain('rolled-back')
    expect(result.failure?.rolloutCause?.code).toBe('crash-loop')
    expect(stage.said.map(({ line }) => line).join('\n')).toContain('deleted Pod db-0')
    const path = `/api/v1/namespaces/${stage.namespace}/pods`
    const { body } = await stage.cluster.call({ method: 'GET', path })
    const states = listAt(body, 'items').map((pod) => textAt(pod, 'status', 'phase'))
    expect(states).toEqual(['Running'])
  })
})
