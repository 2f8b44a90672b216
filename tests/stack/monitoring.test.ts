import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { prometheusImage } from '../../lab/monitoring.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { at, listAt, textAt } from '../../src/json.ts'
import { pullRelease } from '../../src/release/release.ts'
import { demoRelease, REGISTRY } from '../e2e/lab.ts'
import { testPrograms } from '../programs.ts'
import { recordFact } from './facts.ts'
import { build } from './imagebuild.ts'
import { openLab } from './platform.ts'
import { alertsOf, configuration, openPrometheus, type Prometheus, until } from './prometheus.ts'
import { clearNamespace, dropNamespace } from './rendered.ts'
import { deployTree, plantTree, without } from './tree.ts'

const NAMESPACE = 'todo-stack-monitoring'
const COMPONENT = 'k8s/components/monitoring'
const UNIT_TESTS = 'tests/stack/fixtures/alerts.test.yaml'
const FOLDER = resolve('out', 'stack', 'alerts')
const SERVICES = ['ai-agent-service', 'backend-service', 'frontend-service', 'mcp-service']
const PROMTOOL_MS = 30_000
const UP_MS = 60_000
const FIRE_MS = 60_000
const RESOLVE_MS = 90_000

type Said = { readonly status: number; readonly text: string }

async function promtool(...args: readonly string[]): Promise<Said> {
  const program = await testPrograms.tool('promtool')
  return await promisify(execFile)(program, args, { timeout: PROMTOOL_MS }).then(
    ({ stdout, stderr }) => ({ status: 0, text: stdout + stderr }),
    (error: unknown) => ({
      status: Number(at(error, 'code') ?? -1),
      text: `${textAt(error, 'stdout') ?? ''}${textAt(error, 'stderr') ?? ''}`,
    }),
  )
}

describe('the alert rules', () => {
  let alerts: string
  beforeAll(async () => {
    await rm(FOLDER, { recursive: true, force: true })
    await mkdir(FOLDER, { recursive: true })
    alerts = await readFile(join(COMPONENT, 'alerts.yaml'), 'utf8')
  })

  it('are sound, and so is the configuration that docs/monitoring.md makes of both files', async () => {
    for (const name of ['scrape.yaml', 'alerts.yaml'])
      await cp(join(COMPONENT, name), join(FOLDER, name))
    const file = join(FOLDER, 'prometheus.yml')
    await writeFile(file, configuration(FOLDER))
    const { status, text } = await promtool('check', 'config', '--lint=all', '--lint-fatal', file)
    expect({ status, text }).toMatchObject({ status: 0, text: expect.stringContaining('9 rules') })
  })

  it('are raised by what they are for, and by nothing less', async () => {
    expect(await promtool('test', 'rules', UNIT_TESTS)).toMatchObject({ status: 0 })
  })

  it('have a unit test each, which notices when an alert is never raised, or at once', async () => {
    const rules = alerts.split(/^(?= {6}- alert: )/m).slice(1)
    const names = rules.map((rule) => /alert: (\w+)/.exec(rule)?.[1] ?? '')
    const damaged = rules.flatMap((rule, index) => {
      const silent = rule.replace(/expr: >-\n( {10}.*\n)+|expr: .*\n/, 'expr: vector(0) > 1\n')
      const hasty = rule.replace(/ +for: .*\n/, '')
      return [silent, hasty]
        .filter((changed) => changed !== rule)
        .map((changed) => ({ name: names[index] ?? '', text: alerts.replace(rule, changed) }))
    })
    expect(names).toHaveLength(9)
    expect(damaged).toHaveLength(9 + alerts.split(/^ +for: /m).length - 1)
    const tests = await readFile(UNIT_TESTS, 'utf8')
    await writeFile(
      join(FOLDER, 'tests.yaml'),
      tests.replace(/^rule_files: .*/m, 'rule_files: [a.yaml]'),
    )
    for (const { name, text } of damaged) {
      await writeFile(join(FOLDER, 'a.yaml'), text)
      const said = await promtool('test', 'rules', join(FOLDER, 'tests.yaml'))
      expect({ name, ...said }).toMatchObject({ status: 1, text: expect.stringContaining(name) })
    }
  })
})

describe('M20: a Prometheus that is given the two files of the component', () => {
  let api: Cluster
  let prometheus: Prometheus | undefined
  const ask = async (path: string): Promise<unknown> => await prometheus?.ask(path)
  const alertsNow = async () => alertsOf(await ask('alerts'), NAMESPACE)

  beforeAll(async () => {
    api = await openLab()
    await clearNamespace(NAMESPACE, api)
    await deployMonitored()
    const path = `/api/v1/namespaces/${NAMESPACE}/configmaps/todo-monitoring`
    const data = at((await api.call({ method: 'GET', path })).body, 'data')
    // The unit tests above hold the real times; here nobody should wait for them.
    const scrape = hasten(textAt(data, 'scrape.yaml'), 'scrape_interval: 15s', '2s')
    const alerts = hasten(textAt(data, 'alerts.yaml'), 'for: 2m', '5s')
    prometheus = await openPrometheus(
      { image: prometheusImage(), watched: { scrape, alerts } },
      api,
    )
  })

  afterAll(async () => {
    await prometheus?.close()
    await dropNamespace(NAMESPACE, api)
  })

  it('finds every service, and learns from the exporter that each is ready', async () => {
    const query = new URLSearchParams({ query: `probe_success{namespace="${NAMESPACE}"} == 1` })
    const ready = `query?${query.toString()}`
    await until(async () => listAt(await ask(ready), 'result').length >= SERVICES.length, UP_MS)
    const targets = listAt(await ask('targets?state=active'), 'activeTargets').filter(
      (target) => textAt(target, 'labels', 'namespace') === NAMESPACE,
    )
    const seen = targets.map((target) =>
      [textAt(target, 'labels', 'service'), at(target, 'health'), at(target, 'lastError')].join(
        ' ',
      ),
    )
    expect(seen.toSorted()).toEqual(SERVICES.map((service) => `${service} up `))
    recordFact('platform', 'Prometheus', { 'services up': seen.length })
  })

  it('evaluates all rules without an error, and raises nothing', async () => {
    const rules = async () =>
      listAt(await ask('rules?type=alert'), 'groups').flatMap((group) => listAt(group, 'rules'))
    await until(
      async () => (await rules()).every((rule) => at(rule, 'health') !== 'unknown'),
      UP_MS,
    )
    const bad = (await rules()).filter((rule) => at(rule, 'health') !== 'ok')
    expect(bad.map((rule) => [at(rule, 'name'), at(rule, 'lastError')])).toEqual([])
    expect(await rules()).toHaveLength(9)
    expect(await alertsNow()).toEqual([])
  })

  it('raises the alert of a service that is scaled to nothing, and takes it back afterwards', async () => {
    await scale('frontend', 0)
    const isRaised = async () => (await alertsNow()).some((alert) => alert.endsWith(' firing'))
    const fires = await until(isRaised, FIRE_MS)
    expect(await alertsNow()).toEqual(['TodoServiceNotReady frontend-service firing'])
    const [alert] = listAt(await ask('alerts'), 'alerts').filter(
      (one) => textAt(one, 'labels', 'namespace') === NAMESPACE,
    )
    expect(textAt(alert, 'annotations', 'summary')).toBe(
      `frontend-service in ${NAMESPACE} is not ready`,
    )
    await scale('frontend', 1)
    const resolved = await until(async () => (await alertsNow()).length === 0, RESOLVE_MS)
    recordFact('platform', 'Prometheus', {
      'alert fires after s': fires.toFixed(0),
      'resolved s after the repair': resolved.toFixed(0),
    })
  })

  async function scale(name: string, replicas: number): Promise<void> {
    const { status } = await api.call({
      method: 'PATCH',
      path: `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${name}/scale`,
      contentType: 'application/merge-patch+json',
      body: { spec: { replicas } },
    })
    expect(status).toBe(200)
  }
})

/** Development with the component as docs/monitoring.md switches it on, its network policies included. */
async function deployMonitored(): Promise<void> {
  const { images } = await pullRelease(await demoRelease(), AbortSignal.timeout(30_000))
  const built = await build(['health-exporter'], { publish: true })
  const digest = built.get('health-exporter') ?? ''
  const exporter = { reference: `${REGISTRY}/health-exporter@${digest}`, digest, size: 1 }
  const tree = await plantTree('monitoring', {
    images: { ...images, images: { ...images.images, 'health-exporter': exporter } },
    overlays: {
      monitored: {
        'kustomization.yaml': {
          resources: ['../development'],
          patches: [without({ kind: 'HorizontalPodAutoscaler' }), without({ kind: 'Ingress' })],
        },
      },
    },
    environments: {
      monitored: {
        overlay: 'overlays/monitored',
        namespace: NAMESPACE,
        components: ['components/monitoring', 'components/small-node'],
      },
    },
  })
  const { report, stderr } = await deployTree(tree, 'monitored')
  expect({ report, stderr }).toMatchObject({ report: { outcome: 'deployed' } })
}

/** A shorter time at its one place. */
function hasten(text = '', from: string, to: string): string {
  expect(text.split(from)).toHaveLength(2)
  return text.replace(from, from.replace(/\S+$/, to))
}
