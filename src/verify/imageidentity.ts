import { readState } from '../cluster/state.ts'
import { listNamespace } from '../cluster/watch.ts'
import { UserError } from '../errors.ts'
import { listAt, textAt } from '../json.ts'
import { haveSameConfig } from '../release/sameimage.ts'
import { imagesOf } from '../render/manifest.ts'
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
    if (promised === undefined) return await foreign(name, wanted, context)
    if (runs.endsWith(promised.digest)) return pass(name, `runs ${promised.digest}`)
    return (await haveSameConfig(wanted, runs, context.world.signal)) === true
      ? pass(name, `runs ${promised.digest} (stored on the node under ${runs})`)
      : fail(name, `runs ${runs || 'nothing'}, promised was ${promised.digest}`)
  })
}

/** A canary that waits for people runs two releases at once, which says nothing about either. */
async function foreign(
  name: string,
  image: string,
  { cluster, environment }: CheckContext,
): Promise<Finding> {
  // Who may not read the state knows no more than that the image is foreign.
  const state = await readState(environment.namespace, cluster).catch((error: unknown) => {
    if (error instanceof UserError) return undefined
    throw error
  })
  const known = (state?.good?.inventory ?? []).flatMap(({ object }) => imagesOf(object))
  const { pending } = state ?? {}
  if (pending === undefined || (state?.good !== undefined && !known.includes(image)))
    return fail(name, `${image} is no image of the release`)
  const detail = `runs another release, since the deploy of ${pending.release} has not ended; deploy one of them to the end`
  return { name, status: 'inconclusive', detail }
}
