import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { type Rendered, renderEnvironments } from '../../scripts/check-manifests.ts'
import { inRealWorld } from '../../src/edge/world.ts'
import { at } from '../../src/json.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { ALLOW, checkManifests, EXCEPTIONS, RULES } from '../../src/rules/check.ts'
import { fakeWorld } from '../fakes/world.ts'
import { recordFact } from './facts.ts'
import { listAllComponents } from './optional.ts'
import { container, type Key, type Planted } from './planted/planted.ts'
import { brokenPods } from './planted/pods.ts'
import { brokenWhole } from './planted/whole.ts'

const MANIFESTS = 'k8s'
const ENVIRONMENTS = ['dev', 'staging', 'production', 'preview']

const CASES = [...brokenPods, ...brokenWhole]

let rendered: readonly Rendered[] = []
/** The environment in which everything is there, its Secret included. */
let dev: readonly KubeObject[] = []

beforeAll(async () => {
  rendered = await render(MANIFESTS)
  dev = objectsOf('dev')
})

/** Every environment as a deploy renders it. */
async function render(folder: string): Promise<readonly Rendered[]> {
  const { progress } = fakeWorld()
  return await inRealWorld({ progress, signal: AbortSignal.timeout(120_000) }, (world) =>
    renderEnvironments(folder, world),
  )
}

function objectsOf(name: string): readonly KubeObject[] {
  return rendered.find((environment) => environment.name === name)?.objects ?? []
}

describe('the manifests', () => {
  it('are those of every environment', () => {
    expect(rendered.map(({ name }) => name)).toEqual(ENVIRONMENTS)
  })

  it.each(ENVIRONMENTS)('of %s break no rule', (name) => {
    const objects = objectsOf(name)
    const { violations } = checkManifests(objects)
    recordFact('environments', name, { 'policy violations': violations.length })
    expect(objects.length).toBeGreaterThan(30)
    expect(violations).toEqual([])
  })

  it('of the components that no environment has break none either, listed in the overlays', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'policy-'))
    await cp(MANIFESTS, folder, { recursive: true })
    await listAllComponents(folder)
    const all = await render(folder)
    await rm(folder, { recursive: true })
    for (const { objects } of all)
      expect(objects.map(({ kind }) => kind)).toEqual(
        expect.arrayContaining(['ExternalSecret', 'HTTPRoute']),
      )
    expect(all.map(({ name, objects }) => [name, checkManifests(objects).violations])).toEqual(
      ENVIRONMENTS.map((name) => [name, []]),
    )
  })
})

describe('a planted violation', () => {
  it.each(CASES)('$name is found by $rule alone', ({ rule, object, path, value }) => {
    const { violations } = checkManifests(plant(dev, { object, path, value }))
    expect([...new Set(violations.map((violation) => violation.rule))]).toEqual([rule])
    for (const { message } of violations) expect(message).not.toMatch(/hunter2|development-only/)
  })

  it('is there for every rule', () => {
    const rules = [...RULES.map(({ name }) => name), EXCEPTIONS]
    expect([...new Set(CASES.map(({ rule }) => rule))].toSorted()).toEqual(rules.toSorted())
  })

  it('is allowed where its object says why, and said so', () => {
    const object = 'StatefulSet postgresql'
    const broken = plant(dev, {
      object,
      path: [...container, 'securityContext', 'readOnlyRootFilesystem'],
      value: false,
    })
    const reason = 'its extension writes beside itself'
    const excused = plant(broken, {
      object,
      path: ['metadata', 'annotations'],
      value: { [`${ALLOW}read-only-root`]: reason },
    })
    const { violations, allowed } = checkManifests(excused)
    expect(violations).toEqual([])
    expect(allowed).toMatchObject([{ rule: 'read-only-root', reason }])
  })
})

/** A copy of the objects with one thing changed. */
function plant(
  objects: readonly KubeObject[],
  change: Pick<Planted, 'object' | 'path' | 'value'>,
): readonly KubeObject[] {
  const [kind, name = ''] = change.object.split(' ')
  const target = objects.find(
    (object) =>
      object.kind === kind && object.metadata.name.replace(/-[a-z0-9]{8,10}$/, '') === name,
  )
  if (target === undefined) throw new Error(`there is no ${change.object} to break`)
  if (change.path.length === 0) return objects.filter((object) => object !== target)
  const copy = structuredClone(target)
  const last = change.path.at(-1) ?? ''
  const holder = at(copy, ...change.path.slice(0, -1)) as Record<Key, unknown>
  if (change.value === undefined && !(last in holder))
    throw new Error(`${change.object} has no ${change.path.join('.')} to remove`)
  if (change.value === undefined) Reflect.deleteProperty(holder, last)
  else holder[last] = change.value
  return objects.map((object) => (object === target ? copy : object))
}
