import { UserError } from '../errors.ts'
import { isObject, listAt, numberAt, parseJson, textAt } from '../json.ts'
import { newBell, rest } from './bell.ts'
import { type Cluster, reasonOf, WatchRefused } from './cluster.ts'
import { emptyPicture, type Picture, type Place, type Source, sourcesOf } from './kinds.ts'
import { inParallel } from './parallel.ts'

export { emptyPicture, type Picture, type Place, type WatchedKind } from './kinds.ts'

export type NamespaceWatch = {
  picture: () => Picture
  /** Whether the picture is of now: false while the server is away and for as long as a list is being read anew. */
  isCurrent: () => boolean
  /** Resolves at the next change, or after `milliseconds` without one. */
  changed: (milliseconds: number) => Promise<void>
  close: () => void
}

const WATCH_TIMEOUT_S = 240
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 8_000
/** For logins that may list and not watch, and for servers that refuse watches for a while. */
const POLL_MS = 2_000
/** A list that takes longer than this tells of a server that is away. */
const LATE_MS = 1_000
const GETS_AT_ONCE = 4

type Store = {
  readonly source: Source
  items: Map<string, unknown>
  version: string
  mode: 'watch' | 'poll' | 'get' | 'none'
  isBehind: boolean
}

/**
 * Lists each kind once and watches it from there, with bookmarks; a watch that ends goes on where it was, one that is cut, silent or
 * too old lists again. A login that may not watch polls; one that may not even list asks for the objects of the release one by one.
 */
export async function watchNamespace(
  place: Place,
  cluster: Cluster,
  signal: AbortSignal,
): Promise<NamespaceWatch> {
  const closing = new AbortController()
  const ending = AbortSignal.any([signal, closing.signal])
  const bell = newBell(ending)
  const stores = await Promise.all(sourcesOf(place).map((source) => openStore(source, cluster)))
  const known = knownEvents(stores)
  for (const store of stores)
    if (store.mode !== 'none') void follow({ store, cluster, onChange: bell.ring }, ending)
  return {
    picture: () => {
      bell.heed()
      return pictureOf(stores, known)
    },
    isCurrent: () => stores.every(({ isBehind }) => !isBehind),
    changed: bell.rung,
    close: () => {
      closing.abort()
    },
  }
}

/** One picture of a namespace, without a watch and without events: nothing has happened yet that they could explain. */
export async function listNamespace(place: Place, cluster: Cluster): Promise<Picture> {
  const sources = sourcesOf(place).filter(({ kind }) => kind !== 'Event')
  return pictureOf(
    await Promise.all(sources.map((source) => openStore(source, cluster))),
    new Map(),
  )
}

async function openStore(source: Source, cluster: Cluster): Promise<Store> {
  const store: Store = { source, items: new Map(), version: '', mode: 'watch', isBehind: false }
  const answer = await read(store, cluster)
  if (answer === undefined) return store
  const { kind, path, isNeeded, names } = source
  if (!isNeeded && (answer.status === 403 || answer.status === 404)) {
    const mode = answer.status === 404 || names.length === 0 ? 'none' : 'get'
    const opened: Store = { ...store, mode }
    if (mode === 'get') await readNamed(opened, cluster)
    return opened
  }
  throw new UserError(
    `This login can't see ${path.split('/').at(-1) ?? kind}: ${reasonOf(answer)}`,
    [],
    { code: 'rights-missing' },
  )
}

/** Lists anew. Returns the answer where it is no list; the picture stays as it was then. */
async function read(store: Store, cluster: Cluster) {
  if (store.mode === 'get') {
    await readNamed(store, cluster)
    return undefined
  }
  const answer = await cluster.call({ method: 'GET', path: store.source.path })
  if (answer.status !== 200) return answer
  // A list leaves out what each of its items is.
  store.items = new Map(listAt(answer.body, 'items').map((item) => [uidOf(item), item]))
  store.version = textAt(answer.body, 'metadata', 'resourceVersion') ?? ''
  return undefined
}

async function readNamed(store: Store, cluster: Cluster): Promise<void> {
  const found = await inParallel(store.source.names, GETS_AT_ONCE, async (name) => {
    const answer = await cluster.call({ method: 'GET', path: `${store.source.path}/${name}` })
    return answer.status === 200 ? [answer.body] : []
  })
  store.items = new Map(found.flat().map((item) => [uidOf(item), item]))
}

type Followed = {
  readonly store: Store
  readonly cluster: Cluster
  readonly onChange: () => void
}

/** Keeps a store up to date until the signal. A server that is away is waited for: the waiter's deadline decides how long. */
async function follow(followed: Followed, signal: AbortSignal): Promise<void> {
  const { store, cluster, onChange } = followed
  for (let failures = 0; !signal.aborted;) {
    // What was missed is read first: a watch that is open says nothing about what was before it.
    if (store.mode === 'watch' && !store.isBehind) {
      const opened = performance.now()
      const end = await readEvents(followed, signal).catch((error: unknown) => error)
      if (isOver(signal)) return
      if (end === 'ended') {
        failures = 0
        continue
      }
      // No right to watch this kind: listing it serves as well.
      if (end instanceof WatchRefused && [403, 405].includes(end.status)) store.mode = 'poll'
      // A watch that is refused at once makes the list that was read before it no older than one that is polled.
      else store.isBehind = performance.now() - opened > LATE_MS
    }
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS)
    await rest(store.isBehind ? pause : POLL_MS, signal)
    if (isOver(signal)) return
    const late = setTimeout(() => {
      store.isBehind = true
    }, LATE_MS)
    const isRead = await read(store, cluster).then(
      (answer) => answer === undefined,
      () => false,
    )
    clearTimeout(late)
    failures = isRead ? 0 : failures + 1
    store.isBehind = !isRead
    onChange()
  }
}

/** Asked anew each time: it changes while others are waited for. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted
}

/** Follows one watch to its end. Returns `stale` where the list must be read again. */
async function readEvents(
  { store, cluster, onChange }: Followed,
  signal: AbortSignal,
): Promise<'ended' | 'stale'> {
  const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=${WATCH_TIMEOUT_S}&resourceVersion=${store.version}`
  const seen: { end: 'ended' | 'stale' } = { end: 'stale' }
  await cluster.stream(
    `${store.source.path}?${query}`,
    (line) => {
      const event = parseJson(line, 'a watch event')
      const object = isObject(event) ? event['object'] : undefined
      const type = textAt(event, 'type')
      // A refusal comes as a lone Status: no event at all.
      if (type === undefined || type === 'ERROR') {
        if (numberAt(event, 'code') === 403) throw new WatchRefused(403)
        seen.end = 'stale'
        return
      }
      seen.end = 'ended'
      store.version = textAt(object, 'metadata', 'resourceVersion') ?? store.version
      if (type === 'ADDED' || type === 'MODIFIED') store.items.set(uidOf(object), object)
      if (type === 'DELETED') store.items.delete(uidOf(object))
      if (type !== 'BOOKMARK') onChange()
    },
    signal,
  )
  // A server that ends each watch without a word would be asked without a pause.
  return seen.end
}

/** Events of before this watch say nothing about what happens now; those of pods do, for a pod's name is never used again. */
function knownEvents(stores: readonly Store[]): ReadonlyMap<string, string> {
  return new Map(
    stores
      .filter(({ source }) => source.kind === 'Event')
      .flatMap(({ items }) => [...items])
      .filter(([, event]) => textAt(event, 'involvedObject', 'kind') !== 'Pod')
      .map(([uid, event]) => [uid, textAt(event, 'metadata', 'resourceVersion') ?? '']),
  )
}

function pictureOf(stores: readonly Store[], known: ReadonlyMap<string, string>): Picture {
  const lists = new Map<string, unknown[]>()
  for (const { source, items } of stores) {
    const list = lists.get(source.kind) ?? []
    for (const [uid, item] of items)
      if (source.kind !== 'Event' || known.get(uid) !== textAt(item, 'metadata', 'resourceVersion'))
        list.push(item)
    lists.set(source.kind, list)
  }
  return { ...emptyPicture, ...Object.fromEntries(lists) }
}

function uidOf(object: unknown): string {
  return textAt(object, 'metadata', 'uid') ?? ''
}
