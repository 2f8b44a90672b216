import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { toYaml } from '../../src/yaml.ts'
import { ownersOf } from '../../src/cluster/ownership.ts'
import { at, textAt } from '../../src/json.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { configMap, openPlace, type Place, sleeper } from './place.ts'
import { nodeImage } from './shop.ts'

let place: Place
let image: string
const path = {
  config: (name: string) => `/api/v1/namespaces/${place.namespace}/configmaps/${name}`,
  deployment: (name: string) => `/apis/apps/v1/namespaces/${place.namespace}/deployments/${name}`,
}

beforeAll(async () => {
  image = await nodeImage()
  place = await openPlace('todo-p-ownership')
})
afterAll(async () => {
  await place.close()
})

async function managersOf(of: string): Promise<readonly string[]> {
  const owners = ownersOf(await place.get(of))
  return owners.filter(({ subresource }) => subresource === '').map(({ manager }) => manager)
}

/** Somebody's own hand: a write by another manager. */
async function edit(of: string, manager: string, patch: unknown): Promise<void> {
  await place.write({
    method: 'PATCH',
    path: `${of}?fieldManager=${manager}`,
    contentType: 'application/merge-patch+json',
    body: patch,
  })
}

describe('what kubectl apply has made', () => {
  const before = (): readonly KubeObject[] => [
    configMap(
      'adopted',
      { kept: 'old', dropped: 'gone soon' },
      { labels: { 'made-by': 'kubectl' } },
    ),
    sleeper('adopted', image, { replicas: 2, env: { KEPT: 'a', DROPPED: 'b' } }),
  ]
  const after = (): readonly KubeObject[] => [
    configMap('adopted', { kept: 'new' }),
    sleeper('adopted', image, { env: { KEPT: 'a' } }),
  ]

  it('is planned as what will really be: fields that the release lacks go, defaults stay', async () => {
    await place.run(
      'kubectl',
      ['apply', '-f', '-'],
      before()
        .map((one) => toYaml(one))
        .join('---\n'),
    )
    const { plan } = await place.deploy('adopt', after(), { mode: 'plan' })
    const fields = plan?.changes.flatMap(({ object, fields: list }) =>
      list.map(({ path: field, before: old, after: now }) => [
        object.split(' ')[0],
        field,
        old ?? '',
        now ?? '',
      ]),
    )
    const lastApplied = '.metadata.annotations.kubectl.kubernetes.io/last-applied-configuration'
    expect(fields).toEqual([
      ['ConfigMap', '.data.dropped', '"gone soon"', ''],
      ['ConfigMap', '.data.kept', '"old"', '"new"'],
      ['ConfigMap', lastApplied, '***', ''],
      ['ConfigMap', '.metadata.labels.made-by', '"kubectl"', ''],
      ['Deployment', lastApplied, '***', ''],
      [
        'Deployment',
        '.spec.template.spec.containers[main].env[DROPPED]',
        '{"name":"DROPPED","value":"b"}',
        '',
      ],
    ])
    expect(plan?.changes.map(({ taken }) => taken)).toEqual([
      ['kubectl-client-side-apply'],
      ['kubectl-client-side-apply'],
    ])
    expect(await managersOf(path.config('adopted'))).toEqual(['kubectl-client-side-apply'])
  })

  it('becomes that, and never loses its number of replicas', async () => {
    const counts = new Set<unknown>()
    const looking = setInterval(() => {
      void place
        .get(path.deployment('adopted'))
        .then((live) => counts.add(at(live, 'spec', 'replicas')))
    }, 50)
    const { outcome, message } = await place.deploy('adopt', after())
    clearInterval(looking)
    expect(`${outcome}: ${message}`).toMatch(/^deployed/)
    expect(at(await place.get(path.config('adopted')), 'data')).toEqual({ kept: 'new' })
    const deployment = await place.get(path.deployment('adopted'))
    const container = at(deployment, 'spec', 'template', 'spec', 'containers', 0)
    expect(at(container, 'env')).toEqual([{ name: 'KEPT', value: 'a' }])
    expect(
      at(deployment, 'metadata', 'annotations', 'kubectl.kubernetes.io/last-applied-configuration'),
    ).toBeUndefined()
    expect([...counts]).toEqual([2])
    expect(await managersOf(path.config('adopted'))).toEqual(['todo-deploy'])
  })

  it('is unchanged from then on', async () => {
    const result = await place.deploy('adopt', after())
    expect(result.plan?.changes).toEqual([])
    expect(result.outcome).toBe('unchanged')
  })
})

describe('what somebody has changed by hand', () => {
  const release = (value: string) => [configMap('edited', { level: value }), configMap('other')]

  it('is refused with manager, field and both values, and nothing is written', async () => {
    await place.deploy('hand-1', release('info'))
    await edit(path.config('edited'), 'kubectl-edit', { data: { level: 'debug' } })
    const seen = textAt(await place.get(path.config('other')), 'metadata', 'resourceVersion')
    const changed = [configMap('edited', { level: 'info' }), configMap('other', { new: 'yes' })]
    await expect(place.deploy('hand-2', changed)).rejects.toThrow(
      /^The cluster refuses the manifests: ConfigMap todo-p-ownership\/edited: \.data\.level is "debug", set by kubectl-edit; the release has "info"\. Leave it out/,
    )
    expect(textAt(await place.get(path.config('other')), 'metadata', 'resourceVersion')).toBe(seen)
  })

  it('is overrun where that is asked for, and said', async () => {
    const { outcome, plan } = await place.deploy('hand-3', release('info'), {
      forceConflicts: true,
    })
    expect(outcome).toBe('deployed')
    expect(at(await place.get(path.config('edited')), 'data')).toEqual({ level: 'info' })
    expect(plan?.changes.map(({ object }) => object)).toContain(
      `ConfigMap ${place.namespace}/edited`,
    )
    expect(place.said).toContain(
      `ConfigMap ${place.namespace}/edited: .data.level is taken from kubectl-edit`,
    )
  })

  it('stays where the release says nothing about it', async () => {
    await edit(path.config('edited'), 'kubectl-edit', { data: { mine: 'kept' } })
    expect((await place.deploy('hand-3', release('info'))).outcome).toBe('unchanged')
    expect(at(await place.get(path.config('edited')), 'data', 'mine')).toBe('kept')
  })
})

describe('a service account that the next release does not name', () => {
  it('is not kept by the alias that the server has for it', async () => {
    const account: KubeObject = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'mine' },
    }
    const plain = sleeper('accounted', image)
    const named = JSON.parse(
      JSON.stringify(plain).replace('"containers"', '"serviceAccountName":"mine","containers"'),
    ) as KubeObject
    const now = async () =>
      at(
        await place.get(path.deployment('accounted')),
        'spec',
        'template',
        'spec',
        'serviceAccountName',
      )
    await place.deploy('account-1', [account, named])
    expect(await now()).toBe('mine')
    const { plan } = await place.deploy('account-2', [account, plain])
    expect(plan?.changes.flatMap(({ fields }) => fields.map((field) => field.path))).toContain(
      '.spec.template.spec.serviceAccountName',
    )
    expect(await now()).toBe('default')
    expect((await place.deploy('account-2', [account, plain])).outcome).toBe('unchanged')
  })
})

describe('what an autoscaler owns', () => {
  const scaled = (env: Readonly<Record<string, string>>): readonly KubeObject[] => [
    sleeper('scaled', image, { replicas: 1, env }),
    {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'scaled' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'scaled' },
        minReplicas: 2,
        maxReplicas: 3,
        metrics: [
          {
            type: 'Resource',
            resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 90 } },
          },
        ],
      },
    },
  ]

  it('is left to it, though the manifest has a number', async () => {
    await place.deploy('scale-1', scaled({ A: '1' }))
    const replicas = async () => at(await place.get(path.deployment('scaled')), 'spec', 'replicas')
    for (let tries = 0; (await replicas()) !== 2 && tries < 120; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 500))
    expect(await replicas()).toBe(2)
    const { outcome, message, plan } = await place.deploy('scale-2', scaled({ A: '2' }))
    expect(`${outcome}: ${message}`).toMatch(/^deployed/)
    expect(plan?.changes.flatMap(({ fields }) => fields.map(({ path: field }) => field))).toEqual([
      '.spec.template.spec.containers[main].env[A].value',
    ])
    expect(place.said).toContain(
      `Deployment ${place.namespace}/scaled: .spec.replicas is left to the autoscaler`,
    )
    expect(await replicas()).toBe(2)
  })
})
