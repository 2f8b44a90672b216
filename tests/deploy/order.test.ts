import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { toYaml } from '../../src/yaml.ts'
import { at, listAt, textAt } from '../../src/json.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { configMap, environmentOf, job, openPlace, type Place, sleeper } from './place.ts'
import { nodeImage } from './shop.ts'

let place: Place
let image: string
const GADGETS = 'gadgets.p.todo-deploy.test'
beforeAll(async () => {
  image = await nodeImage()
  place = await openPlace('todo-p-order')
})
afterAll(async () => {
  await place.api.call({
    method: 'DELETE',
    path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${GADGETS}`,
  })
  await place.close()
})

const folder = (group: string, plural: string) => `${group}/namespaces/${place.namespace}/${plural}`
const configs = () => folder('/api/v1', 'configmaps')

/** Names of what is there, but for what Kubernetes itself puts into a namespace. */
async function namesIn(path: string): Promise<readonly string[]> {
  const items = listAt(await place.get(path), 'items')
  const names = items.map((item) => textAt(item, 'metadata', 'name') ?? '')
  return names.filter((name) => name !== 'kube-root-ca.crt').toSorted()
}

/** When each object was made, in order. */
async function madeIn(paths: readonly string[]): Promise<readonly string[]> {
  const lists = await Promise.all(paths.map((path) => place.get(path)))
  return lists
    .flatMap((list) => listAt(list, 'items'))
    .map(
      (item) =>
        [
          Number(
            textAt(item, 'metadata', 'annotations', 'at') ??
              Date.parse(textAt(item, 'metadata', 'creationTimestamp') ?? ''),
          ),
          textAt(item, 'metadata', 'name') ?? '',
        ] as const,
    )
    .filter(([, name]) => name !== 'kube-root-ca.crt')
    .toSorted(([a], [b]) => a - b)
    .map(([, name]) => name)
}

describe('a release with a definition and objects of it', () => {
  const definition: KubeObject = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: GADGETS },
    spec: {
      group: 'p.todo-deploy.test',
      scope: 'Namespaced',
      names: { kind: 'Gadget', plural: 'gadgets', singular: 'gadget' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: { type: 'object', properties: { size: { type: 'integer' } } },
          },
        },
      ],
    },
  }
  const gadget = (size: number): KubeObject => ({
    ...{ apiVersion: 'p.todo-deploy.test/v1', kind: 'Gadget', metadata: { name: 'one' }, size },
  })

  it('brings both up in one deploy, and finds them unchanged then', async () => {
    const first = await place.deploy('crd-1', [gadget(1), definition])
    expect(`${first.outcome}: ${first.message}`).toMatch(/^deployed/)
    const path = `${folder('/apis/p.todo-deploy.test/v1', 'gadgets')}/one`
    expect(at(await place.get(path), 'size')).toBe(1)
    expect((await place.deploy('crd-1', [gadget(1), definition])).outcome).toBe('unchanged')
    const last = await place.deploy('crd-2', [configMap('left-over')])
    expect(last.outcome).toBe('deployed')
    expect(place.said.join('\n')).toContain(
      'CustomResourceDefinition gadgets.p.todo-deploy.test is left',
    )
    expect((await place.api.call({ method: 'GET', path })).status).toBe(404)
  })
})

describe('what a newer release lacks', () => {
  it('is removed with its pods, but for what is to stay', async () => {
    const keep = { annotations: { 'todo-deploy.dev/keep': 'true' } }
    const old = [sleeper('goes', image), configMap('goes'), configMap('stays', {}, keep)]
    await place.deploy('p-1', old)
    await place.deploy('p-2', [configMap('new')])
    expect(await namesIn(configs())).toEqual(['new', 'stays'])
    expect(await namesIn(folder('/apis/apps/v1', 'deployments'))).toEqual([])
    expect(await namesIn(folder('/api/v1', 'pods'))).toEqual([])
  })

  it('is left where somebody has made it anew, or taken it over', async () => {
    await place.deploy('p-3', [configMap('new'), configMap('remade'), configMap('taken')])
    await place.write({ method: 'DELETE', path: `${configs()}/remade` })
    await place.write({
      method: 'POST',
      path: configs(),
      body: configMap('remade', { by: 'hand' }),
    })
    await place.run('kubectl', ['label', 'configmap', 'taken', 'a=b'])
    const live = await place.get(`${configs()}/taken`)
    const others = listAt(live, 'metadata', 'managedFields').filter(
      (entry) => textAt(entry, 'manager') !== 'todo-deploy',
    )
    await place.write({
      method: 'PATCH',
      path: `${configs()}/taken`,
      contentType: 'application/json-patch+json',
      body: [{ op: 'replace', path: '/metadata/managedFields', value: others }],
    })
    const { outcome } = await place.deploy('p-4', [configMap('new')])
    expect(outcome).toBe('deployed')
    expect(await namesIn(configs())).toEqual(['new', 'remade', 'stays', 'taken'])
    expect(at(await place.get(`${configs()}/remade`), 'data')).toEqual({ by: 'hand' })
  })
})

describe('a chart', () => {
  const hook = (when: string, more: object = {}) => ({
    annotations: { 'helm.sh/hook': when, ...more },
  })
  const task = (name: string, metadata: { annotations: Record<string, string> }): string =>
    toYaml(job(name, { image, line: `echo ${name}`, annotations: metadata.annotations }))
  /** It takes longer than the server's clock needs to tell what is made before and after it. */
  const app = (version: string): KubeObject => {
    const made = sleeper('little', image, { env: { VERSION: version } })
    return { ...made, spec: { ...(made['spec'] as object), minReadySeconds: 2 } }
  }
  const chart = (version: string): ReadonlyMap<string, Buffer> => {
    const parts = {
      'Chart.yaml': toYaml({ apiVersion: 'v2', name: 'little', version: '1.0.0' }),
      'values.yaml': toYaml({ level: 'info' }),
      'crds/gadgets.yaml': '',
      'templates/config.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: little, annotations: { upgrade: "{{ .Release.IsUpgrade }}" } }\ndata: { level: {{ .Values.level }}, version: "${version}", policy: '{{ .Capabilities.APIVersions.Has "policy/v1" }}' }\n`,
      'templates/app.yaml': toYaml(app(version)),
      'templates/second.yaml': task('second', hook('pre-install', { 'helm.sh/hook-weight': '5' })),
      'templates/first.yaml': task(
        'first',
        hook('pre-install,pre-upgrade', {
          'helm.sh/hook-weight': '-5',
          'helm.sh/hook-delete-policy': 'hook-succeeded',
        }),
      ),
      'templates/upgrade.yaml': task(`upgrade-${version}`, hook('pre-upgrade')),
      'templates/last.yaml': task('last', hook('post-install')),
      'templates/test.yaml': task('never', hook('test')),
      'templates/bye.yaml': task('bye', hook('pre-delete')),
    }
    const files = Object.entries(parts).map(
      ([name, text]) => [`little/${name}`, Buffer.from(text)] as const,
    )
    return new Map([...files, ['mine.yaml', Buffer.from('level: debug\n')] as const])
  }
  const environment = () => ({
    ...environmentOf(place.namespace),
    chart: { path: 'little', values: ['mine.yaml'] },
  })
  const jobs = () => folder('/apis/batch/v1', 'jobs')
  const plain = (names: readonly string[]) => names.map((name) => name.replace(/-[0-9a-f]{8}$/, ''))

  it('goes through the same engine: hooks before and after, by weight, removed as they wish', async () => {
    const { outcome, message } = await place.deployTree('c-1', chart('1'), {
      environment: environment(),
    })
    expect(`${outcome}: ${message}`).toMatch(/^deployed/)
    const config = await place.get(`${configs()}/little`)
    expect(at(config, 'data')).toEqual({ level: 'debug', version: '1', policy: 'true' })
    expect(at(config, 'metadata', 'annotations', 'upgrade')).toBe('false')
    const order = place.said
      .filter((line) => /^(deleted Job|left out)/.test(line))
      .map((line) => line.replace(/-[0-9a-f]{8}/, ''))
    expect(order).toEqual(
      expect.arrayContaining([
        `left out: Job never, a hook for test`,
        `left out: Job bye, a hook for pre-delete`,
        `deleted Job ${place.namespace}/first`,
      ]),
    )
    expect(plain(await namesIn(jobs()))).toEqual(['last', 'second'])
    const made = await madeIn([jobs(), folder('/apis/apps/v1', 'deployments')])
    expect(plain(made)).toEqual(['second', 'little', 'last'])
  })

  it('is unchanged the next time, upgrade or not, and its hooks do not run again', async () => {
    const again = await place.deployTree('c-1', chart('1'), {
      environment: environment(),
      mode: 'plan',
    })
    expect(
      again.plan?.changes.map(
        ({ object, action }) => `${action} ${object.replace(/-[0-9a-f]{8}$/, '')}`,
      ),
    ).toEqual([
      `update ConfigMap ${place.namespace}/little`,
      `create Job ${place.namespace}/upgrade-1`,
      `delete Job ${place.namespace}/second`,
      `delete Job ${place.namespace}/last`,
    ])
    expect(
      (await place.deployTree('c-1', chart('1'), { environment: environment() })).outcome,
    ).toBe('deployed')
    expect(
      (await place.deployTree('c-1', chart('1'), { environment: environment() })).outcome,
    ).toBe('unchanged')
    expect(plain(await namesIn(jobs()))).toEqual(['upgrade-1'])
  })

  it('that Helm has installed is taken over, and Helm’s own marks go', async () => {
    const { mkdtemp, mkdir, rm, writeFile } = await import('node:fs/promises')
    const root = await mkdtemp('/tmp/chart-')
    try {
      await mkdir(`${root}/templates`)
      await writeFile(
        `${root}/Chart.yaml`,
        toYaml({ apiVersion: 'v2', name: 'helms', version: '1.0.0' }),
      )
      await writeFile(
        `${root}/templates/config.yaml`,
        toYaml({ ...configMap('helms', { a: '1', b: '2' }) }),
      )
      await place.run('helm', ['install', 'helms', root])
    } finally {
      await rm(root, { recursive: true })
    }
    const result = await place.deploy('h-1', [configMap('helms', { a: '3' })], { prune: false })
    expect(`${result.outcome}: ${result.message}`).toMatch(/^deployed/)
    const live = await place.get(`${configs()}/helms`)
    expect(at(live, 'data')).toEqual({ a: '3' })
    expect(at(live, 'metadata', 'annotations', 'meta.helm.sh/release-name')).toBeUndefined()
    expect(place.said.join('\n')).toMatch(
      /taken over from the Helm release helms: forget it with "kubectl delete secret/,
    )
  })
})
