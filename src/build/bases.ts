import { messageOf } from '../errors.ts'
import { openRepository } from '../registry/client.ts'
import { parseReference } from '../registry/reference.ts'
import type { World } from '../world.ts'
import type { Builder } from './builder.ts'

/** The digest that an image name stands for now; or why nobody can say. */
export type Base = { readonly digest: string } | { readonly doubt: string }

/**
 * Resolves base images as the builder would: its mirrors first, then the registry itself. A name with a digest is that digest; nothing
 * is asked for it.
 */
export async function resolveBases(
  names: readonly string[],
  mirrors: Builder['mirrors'],
  world: World,
): Promise<ReadonlyMap<string, Base>> {
  const found = await Promise.all(
    names.map(async (name): Promise<[string, Base]> => [name, await resolve(name, mirrors, world)]),
  )
  return new Map(found)
}

async function resolve(name: string, mirrors: Builder['mirrors'], world: World): Promise<Base> {
  let doubt = ''
  try {
    const { registry, repository, tag = 'latest', digest } = parseReference(name)
    if (digest !== undefined) return { digest }
    for (const place of [...(mirrors.get(registry) ?? []), registry]) {
      try {
        const manifest = await openRepository(
          { registry: place, repository },
          world.signal,
        ).getManifest(tag)
        if (manifest !== undefined) return { digest: manifest.digest }
        doubt = `${name} is not in ${place}`
      } catch (error) {
        doubt = messageOf(error)
      }
    }
  } catch (error) {
    doubt = messageOf(error)
  }
  return { doubt: `the digest of ${name} can't be had: ${doubt}` }
}
