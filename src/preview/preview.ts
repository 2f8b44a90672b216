import type { Cluster } from '../cluster/cluster.ts'
import { reasonOf } from '../cluster/cluster.ts'
import type { Environment } from '../environments/environments.ts'
import { UserError } from '../errors.ts'
import { listAt, textAt } from '../json.ts'
import type { World } from '../world.ts'

/** A preview environment is a namespace of its own with these marks; nothing without them is ever deleted. */
export const PREVIEW_LABEL = 'todo-deploy.dev/preview'
export const EXPIRES = 'todo-deploy.dev/expires'

const NAME = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/
const TTL = /^(\d{1,4})([mhd])$/
const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const REMOVAL_MS = 180_000
const LOOK_AGAIN_MS = 1_000

/** Refuses names that can't be part of a namespace. */
export function requirePreviewName(name: string): string {
  if (NAME.test(name)) return name
  throw new UserError(
    `"${name}" can't name a preview: use 1 to 40 lower-case letters, digits and dashes, such as pr-42`,
  )
}

/** Milliseconds of a time to live such as `72h`, `30m` or `7d`. */
export function parseTtl(text: string): number {
  const [, count, unit] = TTL.exec(text) ?? []
  if (count === undefined || unit === undefined)
    throw new UserError(`"${text}" is no time to live: write a number and m, h or d, such as 72h`)
  return Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]
}

/** Makes or renews the namespace of a preview: marked, with the day it may be removed. */
export async function markPreview(
  preview: { readonly environment: Environment; readonly name: string; readonly ttl: number },
  cluster: Cluster,
  world: World,
): Promise<string> {
  const { environment, name } = preview
  const expires = new Date(world.clock.now().getTime() + preview.ttl).toISOString()
  const path = `/api/v1/namespaces/${environment.namespace}`
  const live = await cluster.call({ method: 'GET', path })
  if (live.status === 200 && textAt(live.body, 'metadata', 'labels', PREVIEW_LABEL) === undefined)
    throw new UserError(
      `The namespace ${environment.namespace} is there and is no preview; choose another name`,
    )
  const answer = await cluster.call({
    method: 'PATCH',
    path: `${path}?fieldManager=todo-deploy-preview`,
    contentType: 'application/apply-patch+yaml',
    body: {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name: environment.namespace,
        labels: { [PREVIEW_LABEL]: name },
        annotations: { [EXPIRES]: expires },
      },
    },
  })
  if (answer.status >= 300)
    throw new UserError(`The namespace ${environment.namespace} can't be made: ${reasonOf(answer)}`)
  return expires
}

/** Removes a preview and waits until its namespace is gone. Returns false where there was none. */
export async function removePreview(
  namespace: string,
  cluster: Cluster,
  world: World,
): Promise<boolean> {
  const path = `/api/v1/namespaces/${namespace}`
  const live = await cluster.call({ method: 'GET', path })
  if (live.status === 404) return false
  if (textAt(live.body, 'metadata', 'labels', PREVIEW_LABEL) === undefined)
    throw new UserError(`The namespace ${namespace} is no preview; it is not removed`)
  await cluster.call({ method: 'DELETE', path })
  const deadline = world.clock.now().getTime() + REMOVAL_MS
  while (world.clock.now().getTime() < deadline) {
    const left = await cluster.call({ method: 'GET', path })
    if (left.status === 404) return true
    world.progress.show([`… ${namespace} is being removed`])
    await world.clock.sleep(LOOK_AGAIN_MS, world.signal)
  }
  throw new UserError(
    `${namespace} is still being removed after ${REMOVAL_MS / 1000} s; look for finalizers with "kubectl get namespace ${namespace} -o yaml"`,
  )
}

/** Removes every preview whose time is over. Returns the namespaces that went. */
export async function reapPreviews(cluster: Cluster, world: World): Promise<readonly string[]> {
  const query = `labelSelector=${encodeURIComponent(PREVIEW_LABEL)}`
  const answer = await cluster.call({ method: 'GET', path: `/api/v1/namespaces?${query}` })
  if (answer.status !== 200)
    throw new UserError(`The previews can't be listed: ${reasonOf(answer)}`)
  const now = world.clock.now().toISOString()
  const removed: string[] = []
  for (const item of listAt(answer.body, 'items')) {
    const namespace = textAt(item, 'metadata', 'name') ?? ''
    const expires = textAt(item, 'metadata', 'annotations', EXPIRES) ?? ''
    if (expires === '' || expires > now) continue
    if (await removePreview(namespace, cluster, world)) removed.push(namespace)
  }
  return removed
}
