/** What this run knows of the blobs of one registry, whichever repositories it opened. */
export type Whereabouts = {
  /** True where this run has seen the blob in the repository itself. */
  readonly has: (digest: string, repository: string) => boolean
  readonly confirm: (digest: string, repository: string) => void
  /** A manifest of the repository names the blob, so it should be there. */
  readonly hear: (digest: string, repository: string) => void
  /** Another repository that should have the blob, from which it can be mounted. */
  readonly elsewhere: (digest: string, repository: string) => string | undefined
  /** One piece of work at a time for a key: two images that share a layer must not both send it. */
  readonly inTurn: <T>(key: string, work: () => Promise<T>) => Promise<T>
  /** The same for items of one kind: those that come while another piece of work goes on are dealt with by one call of `work`. */
  readonly together: <T>(
    key: string,
    item: T,
    work: (items: readonly T[]) => Promise<void>,
  ) => Promise<void>
}

export function newWhereabouts(): Whereabouts {
  const seen = new Map<string, Map<string, boolean>>()
  const busy = new Map<string, Promise<unknown>>()
  const note = (digest: string, repository: string, sure: boolean) => {
    const places = seen.get(digest) ?? new Map<string, boolean>()
    places.set(repository, sure || places.get(repository) === true)
    seen.set(digest, places)
  }
  const waiting = new Map<string, { readonly items: unknown[]; readonly done: Promise<void> }>()
  const inTurn: Whereabouts['inTurn'] = async (key, work) => {
    const before = busy.get(key) ?? Promise.resolve()
    // How the one before ended is the matter of who asked for it.
    const turn = before.catch(() => undefined).then(work)
    busy.set(key, turn)
    try {
      return await turn
    } finally {
      if (busy.get(key) === turn) busy.delete(key)
    }
  }
  return {
    has: (digest, repository) => seen.get(digest)?.get(repository) === true,
    confirm: (digest, repository) => {
      note(digest, repository, true)
    },
    hear: (digest, repository) => {
      note(digest, repository, false)
    },
    elsewhere: (digest, repository) => {
      const others = [...(seen.get(digest) ?? [])].filter(([name]) => name !== repository)
      return (others.find(([, sure]) => sure) ?? others[0])?.[0]
    },
    inTurn,
    together: (key, item, work) => {
      const others = waiting.get(key)
      if (others !== undefined) {
        others.items.push(item)
        return others.done
      }
      const items = [item]
      const done = inTurn(key, () => {
        waiting.delete(key) // Who comes from now on is too late for this turn.
        return work(items)
      })
      waiting.set(key, { items, done })
      return done
    },
  }
}
