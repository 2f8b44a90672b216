import { listNamespace } from '../cluster/watch.ts'
import { listAt, parseJson, textAt } from '../json.ts'
import { openRepository } from '../registry/client.ts'
import { parseReference } from '../registry/reference.ts'
import { type Check, type CheckContext, fail, type Finding, pass } from './check.ts'

/** Every running container is one of the release's images, byte for byte: `imageID` is the promised digest. */
export const imageIdentityCheck: Check = {
  name: 'images',
  look: async (context) => {
    const picture = await listNamespace(context.environment.namespace, context.cluster)
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

/** A node that has the same image under another manifest reports that one: then the configurations are equal. */
async function haveSameConfig(
  wanted: string,
  runs: string,
  { world }: CheckContext,
): Promise<boolean> {
  const [, digest] = runs.split('@')
  if (digest === undefined) return runs.endsWith(await configOf(wanted, world.signal))
  const place = parseReference(wanted)
  const other = `${place.registry}/${place.repository}@${digest}`
  const [a, b] = await Promise.all([configOf(wanted, world.signal), configOf(other, world.signal)])
  return a !== '' && a === b
}

async function configOf(reference: string, signal: AbortSignal): Promise<string> {
  const parsed = parseReference(reference)
  const manifest = await openRepository(parsed, signal).getManifest(parsed.digest ?? '')
  if (manifest === undefined) return ''
  return textAt(parseJson(manifest.bytes.toString(), reference), 'config', 'digest') ?? ''
}
