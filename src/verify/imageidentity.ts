import { listNamespace } from '../cluster/watch.ts'
import { listAt, parseJson, textAt } from '../json.ts'
import { openRepository } from '../registry/client.ts'
import { parseReference } from '../registry/reference.ts'
import { type Check, type CheckContext, fail, type Finding, pass } from './check.ts'

/** Every running container is one of the release's images, byte for byte: `imageID` is the promised digest. */
export const imageIdentityCheck: Check = {
  name: 'images',
  look: async (context) => {
    const picture = await listNamespace(
      { namespace: context.environment.namespace },
      context.cluster,
    )
    const running = picture.Pod.filter(
      (pod) =>
        textAt(pod, 'status', 'phase') === 'Running' &&
        textAt(pod, 'metadata', 'deletionTimestamp') === undefined,
    )
    if (running.length === 0) return [fail('images', 'nothing runs in this namespace')]
    const findings = await Promise.all(running.flatMap((pod) => podFindings(pod, context)))
    return findings.filter((finding) => finding !== undefined)
  },
}

function podFindings(pod: unknown, context: CheckContext): Promise<Finding | undefined>[] {
  const name = textAt(pod, 'metadata', 'name') ?? '?'
  return listAt(pod, 'spec', 'containers').map(async (container) => {
    const status = listAt(pod, 'status', 'containerStatuses').find(
      (found) => textAt(found, 'name') === textAt(container, 'name'),
    )
    const wanted = textAt(container, 'image') ?? ''
    const runs = textAt(status, 'imageID') ?? ''
    const promised = Object.values(context.release.images.images).find(
      (image) => image.reference === wanted,
    )
    if (promised === undefined) return fail(name, `${wanted} is no image of the release`)
    if (runs.endsWith(promised.digest)) return pass(name, `runs ${promised.digest}`)
    return (await haveSameConfig(wanted, runs, context))
      ? pass(name, `runs ${promised.digest} (stored on the node under ${runs})`)
      : fail(name, `runs ${runs || 'nothing'}, promised was ${promised.digest}`)
  })
}

/**
 * A node that has the same image under another name reports that one: another manifest of the same configuration, or an index that
 * holds the promised manifest.
 */
async function haveSameConfig(
  wanted: string,
  runs: string,
  { world }: CheckContext,
): Promise<boolean> {
  const [, digest] = runs.split('@')
  const promised = await configsOf(wanted, world.signal)
  if (digest === undefined) return promised.some((config) => runs.endsWith(config))
  const place = parseReference(wanted)
  const found = await configsOf(`${place.registry}/${place.repository}@${digest}`, world.signal)
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
