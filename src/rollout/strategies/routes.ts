import { FIELD_MANAGER } from '../../cluster/apply.ts'
import { type Cluster, reasonOf } from '../../cluster/cluster.ts'
import { UserError } from '../../errors.ts'
import { isObject, listAt, numberAt, textAt } from '../../json.ts'
import { type KubeObject, nameOf } from '../../render/manifest.ts'
import type { Ground } from './ground.ts'
import type { Side } from '../timeline.ts'
import type { Move } from './moves.ts'
import { previewName } from './sets.ts'

/** What a gateway's controller needs to take a route over; a minute is long for all of them. */
const ACCEPT_MS = 60_000
const LOOK_AGAIN_MS = 500

/** The routes of a release that send requests to a Service of a move, and are in the cluster: there, shares can be exact. */
export async function routesOf(move: Move, ground: Ground): Promise<readonly KubeObject[]> {
  const names = move.services.map(({ object }) => object.metadata.name)
  const routes = ground.objects.filter(
    (object) =>
      object.kind === 'HTTPRoute' &&
      rulesOf(object).some((rule) =>
        refsOf(rule).some((ref) => names.includes(textAt(ref, 'name') ?? '')),
      ),
  )
  const there = await Promise.all(
    routes.map(async (route) => (await read(route, ground.cluster)) !== undefined),
  )
  return routes.filter((_route, index) => there[index])
}

/** Sends `weight` percent of the requests of these Services to their previews (0: as the release has it), and waits until the gateway does. */
export async function weightRoutes(
  routes: readonly KubeObject[],
  how: {
    readonly move: Move
    readonly weight: number
    /** Where the Services lead by then, if the weight does not say it. */
    readonly side?: Side
  },
  ground: Ground,
): Promise<void> {
  const names = how.move.services.map(({ object }) => object.metadata.name)
  for (const route of routes) {
    const body = how.weight === 0 ? route : weighted(route, names, how.weight)
    const answer = await ground.cluster.call({
      method: 'PATCH',
      path: `${pathOf(route)}?fieldManager=${FIELD_MANAGER}&force=true`,
      contentType: 'application/apply-patch+yaml',
      body,
    })
    if (answer.status >= 300)
      throw new UserError(`${nameOf(route)} can't be weighted: ${reasonOf(answer)}`)
    await waitUntilAccepted(route, numberAt(answer.body, 'metadata', 'generation') ?? 0, ground)
    ground.timeline.shift({
      service: route.metadata.name,
      what: how.weight === 0 ? 'its Services' : `${how.weight} % to ${how.move.to.metadata.name}`,
      side: how.side ?? sideOf(how.weight),
    })
  }
}

function sideOf(weight: number): Side {
  if (weight === 0) return 'old'
  return weight === 100 ? 'new' : 'both'
}

/** A route whose rules share out the requests of some Services with their previews (pure, so that a test can read it). */
export function weighted(
  route: KubeObject,
  services: readonly string[],
  weight: number,
): KubeObject {
  const rules = rulesOf(route).map((rule) => ({
    ...part(rule),
    backendRefs: refsOf(rule).flatMap((ref) => {
      const name = textAt(ref, 'name') ?? ''
      const own = numberAt(ref, 'weight') ?? 1
      if (!services.includes(name)) return [{ ...part(ref), weight: own * 100 }]
      return [
        { ...part(ref), weight: own * (100 - weight) },
        { ...part(ref), name: previewName(name), weight: own * weight },
      ]
    }),
  }))
  return { ...route, spec: { ...part(route['spec']), rules } }
}

/** Each gateway says it of its own parent: accepted, and every Service found, of this very generation. */
export function isAccepted(route: unknown, generation: number): boolean {
  const parents = listAt(route, 'status', 'parents')
  return (
    parents.length > 0 &&
    parents.every((parent) =>
      ['Accepted', 'ResolvedRefs'].every((type) =>
        listAt(parent, 'conditions').some(
          (condition) =>
            textAt(condition, 'type') === type &&
            textAt(condition, 'status') === 'True' &&
            (numberAt(condition, 'observedGeneration') ?? 0) >= generation,
        ),
      ),
    )
  )
}

async function waitUntilAccepted(
  route: KubeObject,
  generation: number,
  { cluster, world }: Ground,
): Promise<void> {
  const deadline = world.clock.now().getTime() + ACCEPT_MS
  for (;;) {
    const live = await read(route, cluster)
    if (isAccepted(live, generation)) return
    world.progress.show([`… ${nameOf(route)}: the gateway has not accepted it yet`])
    if (world.clock.now().getTime() > deadline)
      throw new UserError(
        `No gateway has accepted ${nameOf(route)} within ${ACCEPT_MS / 1000} s, so nobody knows where its requests go: ${saidBy(live)}`,
      )
    await world.clock.sleep(LOOK_AGAIN_MS, world.signal)
  }
}

function saidBy(route: unknown): string {
  const words = listAt(route, 'status', 'parents')
    .flatMap((parent) => listAt(parent, 'conditions'))
    .filter((condition) => textAt(condition, 'status') !== 'True')
    .map((condition) => `${textAt(condition, 'type') ?? ''} ${textAt(condition, 'message') ?? ''}`)
  return words.join('; ') || 'its status says nothing; does the Gateway of its parentRefs run?'
}

async function read(route: KubeObject, cluster: Cluster): Promise<unknown> {
  const answer = await cluster.call({ method: 'GET', path: pathOf(route) })
  return answer.status === 200 ? answer.body : undefined
}

function pathOf({ apiVersion, metadata: { name, namespace = '' } }: KubeObject): string {
  return `/apis/${apiVersion}/namespaces/${namespace}/httproutes/${name}`
}

function rulesOf(route: KubeObject): readonly unknown[] {
  return listAt(route, 'spec', 'rules')
}

function refsOf(rule: unknown): readonly unknown[] {
  return listAt(rule, 'backendRefs').filter(
    (ref) => (textAt(ref, 'kind') ?? 'Service') === 'Service',
  )
}

function part(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {}
}
