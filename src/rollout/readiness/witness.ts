import { type Cluster } from '../../cluster/cluster.ts'
import { openRepository } from '../../registry/client.ts'
import { parseReference } from '../../registry/reference.ts'
import type { World } from '../../world.ts'

/**
 * What is not in the picture of a namespace and is asked for only where it decides something. An answer comes later than the question:
 * until then it is `unknown`, and the next look asks again.
 */
export type Witness = {
  /** Whether the registry has an image, as it answers to us. */
  image: (reference: string) => 'there' | 'missing' | 'unknown'
  /** An object or a list of the cluster; `missing` where there is none, `unknown` also where this login may not see it. */
  read: (path: string) => 'missing' | 'unknown' | { readonly body: unknown }
  /** Resolves when every question that was asked until now has its answer. */
  heard: () => Promise<void>
}

/** Knows nothing, and asks nobody. */
export const noWitness: Witness = {
  image: () => 'unknown',
  read: () => 'unknown',
  heard: () => Promise.resolve(),
}

/** An answer is believed this long: what was missing may have been provided meanwhile. */
const FRESH_MS = 4_000

export function openWitness(cluster: Cluster, world: World): Witness {
  const open = new Set<Promise<unknown>>()
  const images = newMemory<'there' | 'missing'>(world, open)
  const objects = newMemory<'missing' | { readonly body: unknown }>(world, open)
  return {
    image: (reference) =>
      images(reference, () => askRegistry(reference, world.signal)) ?? 'unknown',
    read: (path) =>
      objects(path, async () => {
        const answer = await cluster.call({ method: 'GET', path })
        if (answer.status === 404) return 'missing'
        return answer.status === 200 ? { body: answer.body } : undefined
      }) ?? 'unknown',
    heard: async () => {
      await Promise.all(open)
    },
  }
}

async function askRegistry(
  reference: string,
  signal: AbortSignal,
): Promise<'there' | 'missing' | undefined> {
  const { digest, ...place } = parseReference(reference)
  if (digest === undefined) return undefined
  const manifest = await openRepository(place, signal).getManifest(digest)
  return manifest === undefined ? 'missing' : 'there'
}

function newMemory<T>(
  world: World,
  open: Set<Promise<unknown>>,
): (key: string, ask: () => Promise<T | undefined>) => T | undefined {
  const known = new Map<string, { value: T | undefined; at: number }>()
  return (key, ask) => {
    const now = world.clock.now().getTime()
    const found = known.get(key)
    if (found === undefined || now - found.at > FRESH_MS) {
      known.set(key, { value: found?.value, at: now })
      // Whoever can't be asked has no say.
      const answer = ask()
        .catch(() => undefined)
        .then((value) => {
          known.set(key, { value, at: world.clock.now().getTime() })
          open.delete(answer)
        })
      open.add(answer)
    }
    return known.get(key)?.value
  }
}
