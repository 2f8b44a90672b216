import { deleteObject, deleteSeen } from '../cluster/delete.ts'
import { isOurs } from '../cluster/ownership.ts'
import { inParallel } from '../cluster/parallel.ts'
import { type Cluster, reasonOf } from '../cluster/cluster.ts'
import { discoverResources, type Resources } from '../cluster/resources.ts'
import type { EnvironmentState, InventoryEntry, LeftEntry } from '../cluster/state.ts'
import { UserError } from '../errors.ts'
import { listAt, textAt } from '../json.ts'
import { keyOf, type KubeObject, nameOf } from '../render/manifest.ts'
import { splitWaves } from '../render/waves.ts'
import type { World } from '../world.ts'
import { isReplacedSet } from './strategies/sets.ts'

/** Deleting these loses data or far more than one application; they are left, and said. */
const NEVER_REMOVED = ['Namespace', 'PersistentVolumeClaim', 'PersistentVolume']
/** A database that a release no longer names is more likely forgotten than unwanted; a definition takes all of its objects along. */
const NEVER_PRUNED = [...NEVER_REMOVED, 'StatefulSet', 'CustomResourceDefinition']
/** Who says that an object stays, whatever becomes of its release. */
const KEEP: Readonly<Record<string, string>> = {
  'todo-deploy.dev/keep': 'true',
  'helm.sh/resource-policy': 'keep',
  'config.kubernetes.io/on-remove': 'keep',
  'cli-utils.sigs.k8s.io/on-remove': 'keep',
  'client.lifecycle.config.k8s.io/deletion': 'detach',
}
/** A release that drops more than this share of what was there is more likely a mistake. */
const PRUNE_SHARE = 0.2
const PRUNE_FREE = 5
const AT_ONCE = 16
const ROUNDS = 3
/** Pods end within their grace period; what takes longer is looked for by the next deploy. */
const GONE_MS = 60_000
const LOOK_AGAIN_MS = 500

export type PrunePlan = {
  /** What goes, as it was seen. */
  readonly remove: readonly Seen[]
  /** What is not removed this time, and stays in the inventory. */
  readonly left: readonly LeftEntry[]
  /** What stays for ever, and why. */
  readonly notes: readonly string[]
  readonly problems: readonly string[]
}

export type Seen = {
  readonly entry: LeftEntry
  readonly path: string
  readonly live: unknown
}

type Pruning = {
  readonly objects: readonly KubeObject[]
  readonly state: EnvironmentState | undefined
  readonly isWanted: boolean
  /** Where the objects come from: another place has its own objects, and says nothing about these. */
  readonly origin: string
}

/**
 * What the last good release had and these objects lack, looked at one by one: only what is still the same object, still ours and
 * meant to go is removed. Another origin or `prune: false` removes nothing, and forgets nothing either.
 */
export async function planPrune(pruning: Pruning, cluster: Cluster): Promise<PrunePlan> {
  const { objects, state, isWanted, origin } = pruning
  const wanted = new Set(objects.map(keyOf))
  const before = state?.good?.overlay ?? origin
  const own = (state?.good?.inventory ?? []).map((entry) => ({ ...entry, origin: before }))
  const inventory: readonly LeftEntry[] = [...own, ...(state?.good?.left ?? [])]
  const gone = inventory.filter(({ object }) => !wanted.has(keyOf(object)))
  const resources = discoverResources(cluster)
  const seen = await inParallel(gone, AT_ONCE, async (entry) => ({
    entry,
    ...(await lookAt(entry, resources, cluster)),
  }))
  const notes = seen.flatMap((one) => ('note' in one ? [one.note] : []))
  const there = seen.flatMap((one) => ('live' in one ? [one] : []))
  // The pods of before, of a workload that is there still: they go with every deploy, and count as no loss.
  const sets = there.filter(({ entry }) => isReplacedSet(entry.object, objects))
  const others = there.filter((one) => !sets.includes(one))
  const foreign = others.filter(({ entry }) => (entry.origin ?? origin) !== origin)
  const dropped = isWanted ? others.filter((one) => !foreign.includes(one)) : []
  const remove = [...dropped, ...sets]
  const left = others.filter((one) => !dropped.includes(one)).map(({ entry }) => entry)
  const problems = dropped.length <= capOf(inventory.length) ? [] : [tooMuch(dropped, inventory)]
  return { remove, left, notes: [...notes, ...foreign.map(foreignNote)], problems }
}

function foreignNote({ entry }: { readonly entry: LeftEntry }): string {
  return `${nameOf(entry.object)} is left: it comes from ${entry.origin ?? 'elsewhere'}; delete it by hand if nobody needs it`
}

/** Removes what was planned, routes first, and waits until it is gone. Returns what is still there, for the next deploy. */
export async function pruneObjects(
  remove: readonly Seen[],
  cluster: Cluster,
  world: World,
): Promise<readonly InventoryEntry[]> {
  const left: InventoryEntry[] = []
  const going: Seen[] = []
  const remover = async (seen: Seen): Promise<void> => {
    const name = nameOf(seen.entry.object)
    const end = await removeSeen(seen, cluster).catch(refusalOf)
    if (end === undefined) return
    if (end === 'begun') {
      world.progress.say(`deleted ${name}`)
      going.push(seen)
      return
    }
    world.progress.warn(`${name} could not be deleted: ${end.reason}; the next deploy tries again`)
    left.push(seen.entry)
  }
  for (const wave of splitWaves(remove.map(({ entry }) => entry.object)).toReversed()) {
    const keys = new Set(wave.objects.map(keyOf))
    const members = remove.filter(({ entry }) => keys.has(keyOf(entry.object)))
    await inParallel(members, AT_ONCE, remover)
  }
  return [...left, ...(await stillThere(going, cluster, world))]
}

/** Deletes entries by UID; claims, volumes and namespaces are left, for they hold data. */
export async function removeObjects(
  entries: readonly InventoryEntry[],
  cluster: Cluster,
  world: World,
): Promise<void> {
  for (const { object, uid } of entries) {
    if (NEVER_REMOVED.includes(object.kind)) continue
    if (await deleteObject(object, uid, cluster)) world.progress.say(`deleted ${nameOf(object)}`)
  }
}

async function lookAt(
  entry: InventoryEntry,
  resources: Resources,
  cluster: Cluster,
): Promise<Seen | { readonly note: string } | { readonly gone: true }> {
  const { object, uid } = entry
  // Its definition may be gone, and with it all of its kind.
  if (!(await resources.isServed(object))) return { gone: true }
  const path = await resources.pathOf(object)
  const answer = await cluster.call({ method: 'GET', path })
  if (answer.status === 404) return { gone: true }
  if (answer.status !== 200)
    throw new UserError(`${nameOf(object)} can't be read: ${reasonOf(answer)}`)
  const live = answer.body
  if (uid !== '' && textAt(live, 'metadata', 'uid') !== uid) return { gone: true }
  if (textAt(live, 'metadata', 'deletionTimestamp') !== undefined) return { gone: true }
  const reason = reasonToStay(object, live)
  if (reason === undefined) return { entry, path, live }
  return { note: `${nameOf(object)} is left: ${reason}` }
}

function reasonToStay(object: KubeObject, live: unknown): string | undefined {
  if (NEVER_PRUNED.includes(object.kind)) return 'delete it by hand if nobody needs its data'
  if (object.kind === 'Secret' && textAt(live, 'type') === 'kubernetes.io/tls')
    return 'delete it by hand if nobody needs its certificate'
  const mark = Object.entries(KEEP).find(([key, value]) =>
    [object, live].some((one) => textAt(one, 'metadata', 'annotations', key) === value),
  )
  if (mark !== undefined) return `its annotation ${mark[0]} says so`
  if (!isOurs(live)) return 'somebody else has taken it over'
  const [owner] = listAt(live, 'metadata', 'ownerReferences')
  return owner === undefined ? undefined : `it belongs to ${textAt(owner, 'kind') ?? 'another'}`
}

function capOf(count: number): number {
  return Math.max(PRUNE_FREE, Math.floor(count * PRUNE_SHARE))
}

function tooMuch(remove: readonly Seen[], inventory: readonly InventoryEntry[]): string {
  const names = remove.map(({ entry }) => nameOf(entry.object)).join(', ')
  return `This release lacks ${remove.length} of the ${inventory.length} objects that are deployed; nothing was changed. Check the overlay; if it is meant, deploy with prune: false and delete them by hand: ${names}`
}

/** Deletes what was seen, or what has become of it as long as it may still go. Undefined: there is nothing left to delete. */
async function removeSeen(
  seen: Seen,
  cluster: Cluster,
): Promise<'begun' | undefined | { readonly reason: string }> {
  let { live } = seen
  for (let round = 1; round <= ROUNDS; round += 1) {
    const deletion = await deleteSeen(live, seen.path, cluster)
    if (deletion.end === 'begun') return 'begun'
    if (deletion.end === 'gone') return undefined
    if (deletion.end === 'refused') return deletion
    const again = await lookAt(seen.entry, discoverResources(cluster), cluster)
    if (!('live' in again)) return undefined
    live = again.live
  }
  return { reason: 'somebody keeps writing it' }
}

/** What can't be removed must not undo a release that is good. */
function refusalOf(error: unknown): { readonly reason: string } {
  if (!(error instanceof UserError)) throw error
  return { reason: error.message }
}

async function stillThere(
  going: readonly Seen[],
  cluster: Cluster,
  world: World,
): Promise<readonly InventoryEntry[]> {
  const deadline = world.clock.now().getTime() + GONE_MS
  let open = going
  while (open.length > 0) {
    const states = await inParallel(open, AT_ONCE, async (seen) => {
      const { status, body } = await cluster.call({ method: 'GET', path: seen.path })
      const isThere = status === 200 && textAt(body, 'metadata', 'uid') === uidOf(seen.live)
      return isThere ? [seen] : []
    })
    open = states.flat()
    if (open.length === 0 || world.clock.now().getTime() > deadline) break
    world.progress.show(open.map(({ entry }) => `… ${nameOf(entry.object)} is being removed`))
    await world.clock.sleep(LOOK_AGAIN_MS, world.signal)
  }
  for (const { entry } of open)
    world.progress.warn(`${nameOf(entry.object)} is still being removed; something holds it`)
  return open.map(({ entry }) => entry)
}

function uidOf(live: unknown): string | undefined {
  return textAt(live, 'metadata', 'uid')
}
