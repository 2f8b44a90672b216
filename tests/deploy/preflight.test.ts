import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { preflight } from '../../src/rollout/preflight/preflight.ts'
import { at, listAt, textAt } from '../../src/json.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { configMap, job, openPlace, type Place, sleeper } from './place.ts'
import { nodeImage } from './shop.ts'

let place: Place
let image: string
beforeAll(async () => {
  image = await nodeImage()
  place = await openPlace('todo-p-preflight')
})
afterAll(async () => {
  await place.close()
})

const folder = (group: string, plural: string) => `${group}/namespaces/${place.namespace}/${plural}`

/** Everything that a deploy could have written, by its version. */
async function versions(): Promise<readonly string[]> {
  const folders = [
    ...['configmaps', 'secrets', 'services'].map((plural) => folder('/api/v1', plural)),
    ...[folder('/apis/apps/v1', 'deployments'), folder('/apis/batch/v1', 'jobs')],
  ]
  const lists = await Promise.all(folders.map((path) => place.get(path)))
  return lists
    .flatMap((list) => listAt(list, 'items'))
    .map(
      (item) =>
        `${textAt(item, 'metadata', 'name') ?? ''} ${textAt(item, 'metadata', 'resourceVersion') ?? ''}`,
    )
    .toSorted()
}

async function refusalOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof Error)) throw new Error('It was not refused')
  return [error.message, ...((error as { details?: readonly string[] }).details ?? [])].join('\n')
}

describe('a deploy with everything wrong', () => {
  it('is refused with all of it at once, and nothing is written', async () => {
    await place.deploy('good', [sleeper('fixed', image), configMap('typed')])
    const before = await versions()
    const fixed = sleeper('fixed', image) as unknown as {
      spec: { selector: { matchLabels: object } }
    }
    const moved = {
      ...fixed,
      spec: { ...fixed.spec, selector: { matchLabels: { app: 'fixed', more: 'x' } } },
    }
    const typing = { ...configMap('typed'), dta: { a: '1' } }
    const reads = sleeper('reads', 'registry.example/web:latest')
    const secret = { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'absent', key: 'a' } } }
    const reader = JSON.parse(
      JSON.stringify(reads).replace('"env":[]', `"env":[${JSON.stringify(secret)}]`),
    ) as KubeObject
    const text = await refusalOf(
      place.deploy('bad', [
        moved as unknown as KubeObject,
        typing,
        reader,
        { ...configMap('gadget'), apiVersion: 'acme.example/v1', kind: 'Gadget' },
        {
          ...configMap('lost'),
          metadata: { name: 'lost', annotations: { 'todo-deploy.dev/depends-on': 'Job/nobody' } },
        },
      ]),
    )
    expect(text.split('\n')[0]).toMatch(/ 3 problems, nothing was changed; 3 more problems below$/)
    for (const part of [
      /Deployment \S+\/fixed: .*spec\.selector: field is immutable\. Give it another name/,
      /ConfigMap \S+\/typed: .*\.dta: field not declared in schema/,
      /Gadget \S+: the cluster has no acme\.example\/v1 Gadget/,
      /Deployment \S+\/reads runs "registry\.example\/web:latest", which has no digest/,
      /Secret todo-p-preflight\/absent is not there; needed by Deployment/,
      /ConfigMap \S+\/lost depends on "Job\/nobody", which is not in this release/,
    ])
      expect(text).toMatch(part)
    expect(await versions()).toEqual(before)
  })

  it('is refused where requests may be lost, if that is asked for, and warned about else', async () => {
    const objects = [sleeper('fixed', image)]
    const text = await refusalOf(place.deploy('lossy', objects, { lint: 'error' }))
    expect(text).toMatch(/A rollout of these manifests may lose requests: \d+ problems/)
    expect(text).toMatch(/maxUnavailable: set it to 0/)
    expect(text).toMatch(/Deployment fixed: one pod each/)
    const { warnings } = await place.deploy('lossy', objects, { lint: 'warn', mode: 'plan' })
    expect(warnings?.join('\n')).toMatch(/there is no readinessProbe/)
  })

  it('names every right that a login lacks, in a few calls, before anything is written', async () => {
    const asked: string[] = []
    const stranger: Cluster = {
      ...place.api,
      call: async (request) => {
        asked.push(`${request.method} ${request.path}`)
        return await place.api.call({
          ...request,
          headers: { 'Impersonate-User': 'nobody-at-all' },
        })
      },
    }
    const { namespace } = place
    const objects = [configMap('a'), sleeper('b', image)].map((object) => ({
      ...object,
      metadata: { ...object.metadata, namespace },
    })) as KubeObject[]
    const question = { objects, namespace, state: undefined, origin: 'x', prune: true }
    const text = await refusalOf(preflight({ ...question, lint: 'off', force: false }, stranger))
    expect(text).toMatch(/^This login may not create configmaps in todo-p-preflight, and \d+ more/)
    for (const right of [
      'patch deployments.apps',
      'list pods',
      'patch secrets "todo-deploy-state"',
      'create leases.coordination.k8s.io',
    ])
      expect(text).toContain(`missing: ${right} in ${namespace}`)
    expect(asked.filter((one) => one.includes('selfsubjectrulesreviews'))).toHaveLength(1)
  })
})

describe('a plan', () => {
  const objects = (level: string, password: string): readonly KubeObject[] => [
    configMap('planned', { level, url: `https://u:${password}@host/` }),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'planned' },
      stringData: { password },
    },
  ]

  it('shows what would change with values, and no secret anywhere', async () => {
    await place.deploy('plan-1', objects('info', 'first-secret-value'))
    place.said.length = 0
    const result = await place.deploy('plan-2', objects('debug', 'second-secret-value'), {
      mode: 'plan',
    })
    expect(place.said).toEqual(
      expect.arrayContaining([
        `~ ConfigMap ${place.namespace}/planned`,
        '    .data.level: "info" → "debug"',
        `~ Secret ${place.namespace}/planned`,
        '    .data.password: changed',
      ]),
    )
    const all = JSON.stringify({ plan: result.plan, said: place.said })
    for (const value of ['first-secret-value', 'second-secret-value'])
      for (const form of [value, Buffer.from(value).toString('base64')])
        expect(all).not.toContain(form)
    expect(await versions()).not.toContain('lease')
  })

  it('is all that may be done by a deploy that names its hash', async () => {
    const wanted = objects('debug', 'second-secret-value')
    const { planHash } = await place.deploy('plan-2', wanted, { mode: 'plan' })
    expect((await place.deploy('plan-2', wanted, { mode: 'plan' })).planHash).toBe(planHash)
    await place.write({
      method: 'PATCH',
      path: `${folder('/api/v1', 'configmaps')}/planned?fieldManager=todo-deploy&force=true`,
      contentType: 'application/apply-patch+yaml',
      body: { ...configMap('planned', { level: 'error' }), metadata: { name: 'planned' } },
    })
    const before = await versions()
    const text = await refusalOf(place.deploy('plan-2', wanted, { planHash }))
    expect(text).toMatch(/^What would be done is not what the plan says; nothing was changed/)
    expect(text).toContain('.data.level: "error" → "debug"')
    expect(await versions()).toEqual(before)
    const again = await place.deploy('plan-2', wanted, { mode: 'plan' })
    const done = await place.deploy('plan-2', wanted, { planHash: again.planHash })
    expect(done.outcome).toBe('deployed')
  })
})

describe('a migration that fails', () => {
  it('stops the deploy before any Service or workload changes', async () => {
    const service = (port: number): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'guarded' },
      spec: { selector: { app: 'guarded' }, ports: [{ port }] },
    })
    const phase = { 'todo-deploy.dev/phase': 'expand' }
    const release = (line: string, port: number) => [
      ...[job('migrate', { image, line, annotations: phase }), service(port)],
      sleeper('guarded', image, { env: { PORT: String(port) } }),
    ]
    expect((await place.deploy('m-1', release('true', 80))).outcome).toBe('deployed')
    const deployment = `${folder('/apis/apps/v1', 'deployments')}/guarded`
    const generations: unknown[] = []
    const look = async () => at(await place.get(deployment), 'metadata', 'generation')
    const before = await look()
    const looking = setInterval(() => void look().then((one) => generations.push(one)), 100)
    const result = await place.deploy('m-2', release('echo no such column; exit 3', 81))
    clearInterval(looking)
    expect(`${result.outcome}: ${result.message}`).toMatch(/^rolled-back: Job .*migrate-/)
    expect(new Set([...generations, await look()])).toEqual(new Set([before]))
    const live = await place.get(`${folder('/api/v1', 'services')}/guarded`)
    expect(at(live, 'spec', 'ports', 0, 'port')).toBe(80)
  })
})
