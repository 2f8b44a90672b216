import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parseYaml, toYaml } from '../../src/yaml.ts'
import {
  type Environment,
  previewEnvironment,
  readEnvironments,
} from '../../src/environments/environments.ts'
import { listAt, textAt } from '../../src/json.ts'
import type { Files } from '../../src/release/archive.ts'
import type { ImageSet } from '../../src/release/imageset.ts'
import { readManifests } from '../../src/release/release.ts'
import { renderEnvironment } from '../../src/render/render.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { runProgram } from '../../src/tools/program.ts'
import { fakeWorld } from '../fakes/world.ts'
import { testPrograms } from '../programs.ts'
import { CHART, renderChart, valuesFlags, withoutChartLabels, writeImageValues } from './chart.ts'
import { differences } from './difference.ts'
import { recordFact } from './facts.ts'

/** Names of images, whatever their digest: rendering looks at no registry. */
const NAMES = ['frontend', 'backend', 'mcp-server', 'ai-agent', 'database', 'local-model']
const images: ImageSet = {
  version: 1,
  images: Object.fromEntries(
    [...NAMES, 'health-exporter'].map((name, index) => {
      const digest = `sha256:${String(index).repeat(64)}`
      return [name, { reference: `registry.example/todo/${name}@${digest}`, digest, size: 1 }]
    }),
  ),
}
const BASE: Environment = {
  name: 'base',
  overlay: 'base',
  namespace: 'todo-app',
  components: [],
  url: '',
  after: undefined,
  preview: false,
  hostPrefix: '',
  strategy: { type: 'rolling' },
}

const manifests = await readManifests('k8s')
const environments = readEnvironments(manifests)
const overlays = namesBelow('overlays')
const components = namesBelow('components')
let workspace = ''
let imageFlags: readonly string[] = []

beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'parity-'))
  imageFlags = ['--values', await writeImageValues(images, workspace)]
})
afterAll(async () => {
  await rm(workspace, { recursive: true })
})

function namesBelow(folder: string): readonly string[] {
  const pattern = new RegExp(`^${folder}/([^/]+)/kustomization\\.yaml$`)
  return [...manifests.keys()].flatMap((path) => pattern.exec(path)?.[1] ?? []).toSorted()
}

/** What a deploy would apply, without the namespace: Helm makes that itself. */
async function overlayObjects(
  environment: Environment,
  tree: Files = manifests,
): Promise<readonly KubeObject[]> {
  const world = fakeWorld({ workspace, run: runProgram, tools: testPrograms.tool })
  const objects = await renderEnvironment({ manifests: tree, images }, environment, world)
  return objects.filter(({ kind }) => kind !== 'Namespace')
}

async function chartObjects(
  namespace: string,
  flags: readonly string[],
  chart = CHART,
): Promise<readonly KubeObject[]> {
  const objects = await renderChart(namespace, [...flags, ...imageFlags], chart)
  return objects.map(withoutChartLabels)
}

function compareSides(
  overlay: readonly KubeObject[],
  chart: readonly KubeObject[],
): readonly string[] {
  return differences({ name: 'overlay', objects: overlay }, { name: 'chart', objects: chart })
}

/** The values that stand for an environment: its overlay's, then one file for each component. */
function valuesOf({ overlay, components: own }: Environment): readonly string[] {
  const name = overlay.replace('overlays/', '')
  const first = name === 'base' ? 'ci/base-values' : `values-${name}`
  return [first, ...own.map((path) => `ci/${path.replace('components/', '')}-values`)]
}

describe('M11: the chart renders what the overlay renders', () => {
  test.each(environments.list.filter(({ preview }) => !preview))(
    'in $name',
    async (environment) => {
      const overlay = await overlayObjects(environment)
      const flags = valuesFlags(valuesOf(environment))
      const chart = await chartObjects(environment.namespace, flags)
      const found = compareSides(overlay, chart)
      const says = found.length === 0 ? 'same' : `${found.length} differences`
      recordFact('environments', environment.name, { 'chart parity': says })
      expect(found).toEqual([])
      expect(chart.length).toBeGreaterThan(30)
    },
  )

  test('in a preview environment, with the host of its own', async () => {
    const environment = previewEnvironment(environments, 'pr-7')
    const overlay = await overlayObjects(environment)
    const host = ['--set', 'host=pr-7.dev.todo.localhost']
    const flags = [...valuesFlags(valuesOf(environment)), ...host]
    expect(compareSides(overlay, await chartObjects(environment.namespace, flags))).toEqual([])
  })

  test('at an upgrade too, apart from the annotations that make the migration a hook', async () => {
    const staging = environments.list.find(({ name }) => name === 'staging') ?? BASE
    const flags = [...valuesFlags(valuesOf(staging)), '--is-upgrade']
    const found = compareSides(
      await overlayObjects(staging),
      await chartObjects(staging.namespace, flags),
    )
    expect(found).toEqual([
      expect.stringContaining('.annotations.helm.sh/hook: overlay nothing, chart "pre-upgrade"'),
      expect.stringContaining('.annotations.helm.sh/hook-delete-policy: overlay nothing'),
      expect.stringContaining('.annotations.helm.sh/hook-output-log-policy: overlay nothing'),
    ])
    expect(found.every((line) => line.startsWith('Job '))).toBe(true)
  })
})

describe('M11: every component is a switch of the chart', () => {
  test('all of them off', async () => {
    const chart = await chartObjects(BASE.namespace, valuesFlags(['ci/base-values']))
    expect(compareSides(await overlayObjects(BASE), chart)).toEqual([])
  })

  test.each(components)('only %s', async (component) => {
    const environment = { ...BASE, components: [`components/${component}`] }
    const overlay = await overlayObjects(environment)
    const chart = await chartObjects(BASE.namespace, valuesFlags(valuesOf(environment)))
    expect(compareSides(overlay, chart)).toEqual([])
  })

  const pairs = overlays.flatMap((overlay) =>
    components
      .filter((component) => !listed(overlay).includes(`../../components/${component}`))
      .map((component) => ({ overlay, component })),
  )
  test.each(pairs)('$component in the overlay $overlay', async ({ overlay, component }) => {
    const namespace = `todo-${overlay}`
    const environment = { ...BASE, overlay: `overlays/${overlay}`, namespace }
    const flags = valuesFlags([`values-${overlay}`, `ci/${component}-values`])
    const chart = await chartObjects(namespace, flags)
    const tree = withComponent(overlay, component)
    expect(compareSides(await overlayObjects(environment, tree), chart)).toEqual([])
  })
})

function kustomizationOf(overlay: string): string {
  return `overlays/${overlay}/kustomization.yaml`
}

function listed(overlay: string): readonly string[] {
  const file = manifests.get(kustomizationOf(overlay))?.toString() ?? ''
  return listAt(parseYaml(file), 'components').map(String)
}

/** The tree with one component more in an overlay, before `small-node`, which wants to be the last. */
function withComponent(overlay: string, component: string): Files {
  const path = kustomizationOf(overlay)
  const file: unknown = parseYaml(manifests.get(path)?.toString() ?? '')
  const isLast = (name: string) => name.endsWith('/small-node')
  const names = [...listed(overlay), `../../components/${component}`]
  const ordered = [...names.filter((name) => !isLast(name)), ...names.filter(isLast)]
  const changed = toYaml({ ...(file as object), components: ordered })
  return new Map([...manifests, [path, Buffer.from(changed)]])
}

describe('a difference is found', () => {
  const planted = [
    {
      name: 'a port',
      file: 'charts/backend/templates/backend.yaml',
      from: '"port" 8000',
      to: '"port" 8080',
      says: /^Service .*backend-service \.spec\.ports\[0\]\.port: overlay 8000, chart 8080$/,
    },
    {
      name: 'the path of a probe',
      file: 'charts/mcp-server/templates/mcp-server.yaml',
      from: '"ready" "/ready"',
      to: '"ready" "/health"',
      says: /^Deployment .*mcp-server .*readinessProbe\.httpGet\.path: overlay "\/ready", chart "\/health"$/,
    },
    {
      name: 'a missing budget',
      file: 'templates/_workload.tpl',
      from: '{{ include "workload.disruption" . }}',
      to: '',
      says: /^PodDisruptionBudget .*frontend: only in overlay$/,
    },
    {
      name: 'a network policy that lets more through',
      file: 'templates/network-policies.yaml',
      from: 'policyTypes: [Ingress, Egress]',
      to: 'policyTypes: [Ingress]',
      says: /^NetworkPolicy .*default-deny \.spec\.policyTypes\[1\]: overlay "Egress", chart nothing$/,
    },
    {
      name: 'a label',
      file: 'templates/_labels.tpl',
      from: 'app.kubernetes.io/part-of: todo-app',
      to: 'app.kubernetes.io/part-of: todo',
      says: /^Service .*frontend-service \.metadata\.labels\.app\.kubernetes\.io\/part-of: overlay "todo-app"/,
    },
  ]
  test.each(planted)('$name', async ({ file, from, to, says }) => {
    const chart = join(workspace, 'planted')
    await cp(CHART, chart, { recursive: true, force: true })
    const text = await readFile(join(chart, file), 'utf8')
    expect(text).toContain(from)
    await writeFile(join(chart, file), text.replace(from, to))
    const production = environments.list.find(({ name }) => name === 'production') ?? BASE
    const objects = await chartObjects(
      production.namespace,
      valuesFlags(valuesOf(production)),
      chart,
    )
    const found = compareSides(await overlayObjects(production), objects)
    expect(found).toContainEqual(expect.stringMatching(says))
  })
})

test('every values file of ci/ belongs to a component', () => {
  const files = [...manifests.keys()].flatMap(
    (path) => /^helm\/todo-app\/ci\/(.+)-values\.yaml$/.exec(path)?.[1] ?? [],
  )
  expect(files.toSorted()).toEqual(['base', ...components].toSorted())
  expect(
    textAt(parseYaml(manifests.get('environments.yaml')?.toString() ?? ''), 'application'),
  ).toBe('todo-app')
})
