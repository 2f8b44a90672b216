import { listAt, parseJson, textAt } from '../json.ts'
import { openRepository } from '../registry/client.ts'
import { parseReference } from '../registry/reference.ts'

/**
 * Whether what a node runs is what was wanted. A node that has the same image under another name reports that one: another manifest of
 * the same configuration, the manifest of its platform where an index was wanted, or an index that holds the wanted manifest.
 * Undefined where the registry does not know what was wanted.
 */
export async function haveSameConfig(
  wanted: string,
  runs: string,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const [, digest] = runs.split('@')
  const promised = await configsOf(wanted, signal)
  if (promised.length === 0) return undefined
  if (digest === undefined) return promised.some((config) => runs.endsWith(config))
  if (promised.includes(digest)) return true
  const place = parseReference(wanted)
  const found = await configsOf(`${place.registry}/${place.repository}@${digest}`, signal)
  return found.some((config) => promised.includes(config))
}

/** The configurations that a manifest stands for: one, or those of the platforms of an index. */
async function configsOf(reference: string, signal: AbortSignal): Promise<readonly string[]> {
  const { digest = '', ...place } = parseReference(reference)
  const repository = openRepository(place, signal)
  const read = async (manifestDigest: string): Promise<readonly string[]> => {
    const manifest = await repository.getManifest(manifestDigest)
    if (manifest === undefined) return []
    const parsed = parseJson(manifest.bytes.toString(), reference)
    const config = textAt(parsed, 'config', 'digest')
    if (config !== undefined) return [config]
    // What stands beside images in an index, such as provenance, has no platform.
    const images = listAt(parsed, 'manifests').filter(
      (one) => textAt(one, 'platform', 'os') !== 'unknown',
    )
    const below = await Promise.all(images.map((one) => read(textAt(one, 'digest') ?? '')))
    return below.flat()
  }
  return await read(digest)
}
