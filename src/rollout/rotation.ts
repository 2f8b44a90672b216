import type { Cluster } from '../cluster/cluster.ts'
import { at, isObject, listAt, textAt } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'
import { needsOf } from '../render/needs.ts'
import type { World } from '../world.ts'

/** On a pod template: when the Secrets that its pods read were changed. Another value makes other pods, by a rolling update. */
export const SECRETS_AT = 'todo-deploy.dev/secrets-at'
/** The operator reads the store at once when an annotation changes; this is the one that its documentation names. */
const FORCE_SYNC = 'force-sync'
const REFRESH_MS = 10_000
const LOOK_AGAIN_MS = 250

/**
 * A program that reads its Secret once, when it starts, goes on with the old values after a rotation. Deployments whose pods are older
 * than a Secret that comes from outside of the release get the time of its change on their pod template. One whose pods are newer
 * keeps what it has, so that somebody else may have rolled it. StatefulSets are left: a database is not restarted by the way.
 */
export async function withSecretTimes(
  objects: readonly KubeObject[],
  rendered: readonly KubeObject[],
  cluster: Cluster,
): Promise<readonly KubeObject[]> {
  const own = new Set(rendered.filter(({ kind }) => kind === 'Secret').map(placeOf))
  return await Promise.all(
    objects.map(async (object) => {
      if (object.kind !== 'Deployment') return object
      const namespace = object.metadata.namespace ?? ''
      const names = new Set(needsOf(object).map(({ secret }) => secret))
      const outside = [...names].filter((name) => !own.has(`${namespace}/${name}`))
      if (outside.length === 0) return object
      const time = await timeFor(object, outside, cluster)
      return time === undefined ? object : withTime(object, time)
    }),
  )
}

/** Has the operator read the store now, so that a deploy right after a rotation finds the new values and not those of its last look. */
export async function refreshFromStores(
  objects: readonly KubeObject[],
  cluster: Cluster,
  world: World,
): Promise<void> {
  for (const object of objects.filter(({ kind }) => kind === 'ExternalSecret')) {
    const { name, namespace = '' } = object.metadata
    const path = `/apis/external-secrets.io/v1/namespaces/${namespace}/externalsecrets/${name}`
    const synced = async () =>
      textAt((await cluster.call({ method: 'GET', path })).body, 'status', 'syncedResourceVersion')
    const before = await synced()
    // It is new, or was never read: whoever waits for it will be told.
    if (before === undefined) continue
    const deadline = world.clock.now().getTime() + REFRESH_MS
    const annotations = { [FORCE_SYNC]: String(world.clock.now().getTime()) }
    await cluster.call({
      method: 'PATCH',
      path: `${path}?fieldManager=todo-deploy-refresh`,
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations } },
    })
    while ((await synced()) === before && world.clock.now().getTime() < deadline)
      await world.clock.sleep(LOOK_AGAIN_MS, world.signal)
  }
}

async function timeFor(
  object: KubeObject,
  secrets: readonly string[],
  cluster: Cluster,
): Promise<string | undefined> {
  const { name, namespace = '' } = object.metadata
  const read = async (path: string) => (await cluster.call({ method: 'GET', path })).body
  const live = await read(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`)
  const core = `/api/v1/namespaces/${namespace}`
  const found = await Promise.all(secrets.map((secret) => read(`${core}/secrets/${secret}`)))
  const changed = found.map(changeOf).toSorted().at(-1) ?? ''
  const selector = Object.entries(at(live, 'spec', 'selector', 'matchLabels') ?? {})
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(',')
  const pods =
    selector === '' ? [] : await read(`${core}/pods?labelSelector=${encodeURIComponent(selector)}`)
  const isStale = listAt(pods, 'items')
    .filter((pod) => textAt(pod, 'metadata', 'deletionTimestamp') === undefined)
    .some((pod) => (textAt(pod, 'metadata', 'creationTimestamp') ?? '') <= changed)
  const carried = textAt(live, 'spec', 'template', 'metadata', 'annotations', SECRETS_AT)
  return isStale ? changed : carried
}

/** When somebody last changed the data of a Secret, by the server's clock; empty where that can't be read. */
function changeOf(secret: unknown): string {
  const times = listAt(secret, 'metadata', 'managedFields')
    .filter((entry) => at(entry, 'fieldsV1', 'f:data') !== undefined)
    .map((entry) => textAt(entry, 'time') ?? '')
  return times.toSorted().at(-1) ?? textAt(secret, 'metadata', 'creationTimestamp') ?? ''
}

function withTime(object: KubeObject, time: string): KubeObject {
  const part = (value: unknown) => (isObject(value) ? value : {})
  const spec = part(object['spec'])
  const template = part(spec['template'])
  const metadata = part(template['metadata'])
  const annotations = { ...part(metadata['annotations']), [SECRETS_AT]: time }
  return {
    ...object,
    spec: { ...spec, template: { ...template, metadata: { ...metadata, annotations } } },
  }
}

function placeOf({ metadata: { name, namespace = '' } }: KubeObject): string {
  return `${namespace}/${name}`
}
