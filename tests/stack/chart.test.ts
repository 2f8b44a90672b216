import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { toYaml } from '../../src/yaml.ts'
import { CHART, helm, valuesFlags, writeImageValues } from './chart.ts'
import { recordFact } from './facts.ts'
import { documented, type HelmLab, lockOf, openHelmLab, withOtherBackend } from './helmlab.ts'
import { wrongValues } from './planted/values.ts'
import { startVisitor, type Visitor } from './visitor.ts'

const ENVIRONMENTS = ['development', 'staging', 'production']
const SERVICES = ['frontend-service', 'backend-service', 'mcp-service', 'ai-agent-service']
/** Longer than an upgrade, a rollback and another upgrade take together: the visitor is told when to stop. */
const VISIT_SECONDS = 600
const LIMIT_MS = 280_000

type Running = { readonly image: string; readonly level: string }

let folder = ''
let images = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chart-'))
  images = await writeImageValues(await lockOf(), folder)
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('M11: the chart is sound', () => {
  test.each(ENVIRONMENTS)('helm lint --strict has nothing to say in %s', async (name) => {
    const values = [...valuesFlags([`values-${name}`]), '--values', images]
    const { status, stdout, stderr } = await helm('lint', '--strict', CHART, ...values)
    expect(`${stdout}${stderr}`).not.toMatch(/\[(WARNING|ERROR)\]|level=WARN/)
    expect(status).toBe(0)
  })

  test('it says what to give where images are missing', async () => {
    const { status, stderr } = await helm('template', 'todo', CHART)
    expect(status).not.toBe(0)
    expect(stderr).toMatch(/global\.images\.[a-z-]+ is missing: give the images of a release/)
  })
})

describe('M11: a wrong value is named', () => {
  test.each(wrongValues)('$name', async ({ values, says }) => {
    const file = join(folder, 'wrong.yaml')
    await writeFile(file, toYaml(values))
    const flags = ['--values', images, ...valuesFlags(['values-staging']), '--values', file]
    const { status, stderr } = await helm('template', 'todo', CHART, ...flags)
    expect(stderr).toContain(says)
    expect(status).not.toBe(0)
  })
})

describe('M11: install, upgrade, rollback, upgrade, by the commands of docs/helm.md', () => {
  let lab: HelmLab
  let visitor: Visitor | undefined
  let [first, second]: readonly Running[] = []
  const facts: Record<string, string> = {}
  beforeAll(async () => {
    lab = await openHelmLab(folder)
  }, LIMIT_MS)
  afterAll(async () => {
    recordFact('environments', 'helm', facts)
    await lab.close()
  }, LIMIT_MS)

  /** Image and configuration that the backend's pod really has. */
  async function backend(): Promise<Running> {
    const { pod, image } = await lab.runningPod('backend')
    return { image, level: await lab.environmentOf(pod, 'backend', 'LOG_LEVEL') }
  }

  /** The installation as a person would try it. */
  async function expectHealthy(): Promise<void> {
    const said = await lab.run(documented('Test'))
    for (const service of SERVICES)
      expect(said).toMatch(
        new RegExp(`http://${service}\\.${lab.namespace}\\.svc:\\d+/\\S+ -> 200 `),
      )
    expect(await lab.objectNames('networkpolicies')).not.toContain('todo-app-test')
  }

  test(
    'it installs',
    async () => {
      const lock = await lockOf()
      first = { image: lock.images['backend']?.reference ?? '', level: 'warning' }
      await lab.provide(lock, first.level)
      await lab.run(documented('Images'))
      await lab.run(documented('Namespace and Secret', 0))
      await lab.run(documented('Namespace and Secret', 1))
      const said = await lab.run(documented('Install and upgrade'))
      expect(said).toContain('STATUS: deployed')
      expect(said).not.toContain('would violate PodSecurity')
      expect(await backend()).toEqual(first)
      await expectHealthy()
      const manifest = await lab.run('helm get manifest todo --namespace "$NAMESPACE"')
      facts['objects'] = String(manifest.match(/^kind: /gm)?.length ?? 0)
      const image = lock.images['frontend']?.reference ?? ''
      visitor = await startVisitor({ namespace: lab.namespace, image, seconds: VISIT_SECONDS })
    },
    LIMIT_MS,
  )

  test(
    'an upgrade brings another image and another configuration, after its migration',
    async () => {
      const configs = await lab.objectNames('configmaps')
      const lock = await withOtherBackend(await lockOf())
      second = { image: lock.images['backend']?.reference ?? '', level: 'debug' }
      await lab.provide(lock, second.level)
      await lab.run(documented('Images'))
      expect(await lab.run(documented('Install and upgrade'))).toMatch(/migrate: /)
      expect(second.image).not.toBe(first?.image)
      expect(await backend()).toEqual(second)
      // A pod of the revision before may have to start again until it is replaced.
      expect(await lab.objectNames('configmaps')).toEqual(expect.arrayContaining([...configs]))
      await expectHealthy()
    },
    LIMIT_MS,
  )

  test(
    'a rollback brings back both',
    async () => {
      expect(await lab.run(documented('Roll back'))).toContain('Rollback was a success')
      expect(await backend()).toEqual(first)
      await expectHealthy()
    },
    LIMIT_MS,
  )

  test(
    'and it can be upgraded again',
    async () => {
      await lab.run(documented('Install and upgrade'))
      expect(await backend()).toEqual(second)
      await expectHealthy()
      facts['chart parity'] = 'install, upgrade, rollback, upgrade: ok'
    },
    LIMIT_MS,
  )

  test(
    'M14: nobody who used it meanwhile has lost a request',
    async () => {
      await visitor?.stop()
      const { answered = 0, ...lost } = (await visitor?.ends()) ?? {}
      const count = Object.values(lost).reduce((sum, number) => sum + number, 0)
      facts['lost on rollout'] = `${count} of ${count + answered}`
      expect(answered).toBeGreaterThan(100)
      expect(lost).toEqual({})
    },
    LIMIT_MS,
  )

  test(
    'a migration that fails leaves everything as it was',
    async () => {
      // The image has no program for migrations.
      const lock = await lockOf()
      const database = lock.images['frontend']
      expect(database).toBeDefined()
      await lab.provide(
        { ...lock, images: { ...lock.images, ...(database && { database }) } },
        'error',
      )
      await lab.run(documented('Images'))
      const soon = '--set migration.activeDeadlineSeconds=30 --wait '
      const attempt = lab.run(documented('Install and upgrade').replace('--wait ', soon))
      await expect(attempt).rejects.toThrow(/pre-upgrade hooks failed/)
      expect(await backend()).toEqual(second)
      await expectHealthy()
      facts['failed migration'] = 'nothing changed'
    },
    LIMIT_MS,
  )

  test(
    'removed, it leaves nothing but the volume and what was provided',
    async () => {
      await lab.run(documented('Remove'))
      const left = await Promise.all(
        ['services', 'serviceaccounts', 'configmaps', 'networkpolicies'].map(lab.objectNames),
      )
      expect(left.flat().toSorted()).toEqual(['default', 'kube-root-ca.crt'])
      expect(await lab.objectNames('persistentvolumeclaims')).toEqual(['data-postgresql-0'])
      expect(await lab.objectNames('secrets')).toEqual(['todo-secrets'])
    },
    LIMIT_MS,
  )
})
