import type { Picture } from '../../cluster/watch.ts'
import { at, listAt, textAt } from '../../json.ts'
import { haveSameConfig } from '../../release/sameimage.ts'
import { nameOf } from '../../render/manifest.ts'
import { type FailedObject, explainFailure } from '../evidence/explanation.ts'
import { isGoing, newestPods } from './live.ts'
import type { WaitContext, Waiting } from './wait.ts'

/**
 * Sees that the containers of the new pods really run the images that were asked for: `imageID` is the digest. Nodes that have the
 * same image under another name report that one, so a difference is looked up in the registry. Throws `RolloutFailed` where another
 * image runs; where the registry can't be asked it warns.
 */
export async function proveImages(
  waiting: Waiting,
  picture: Picture,
  { cluster, world }: WaitContext,
): Promise<void> {
  const found: FailedObject[] = []
  const asked = new Map<string, Promise<boolean | undefined>>()
  for (const object of waiting.objects) {
    const pods = newestPods(object, picture).filter((pod) => !isGoing(pod))
    for (const { pod, container, wanted, runs } of pods.flatMap(imagesOfPod)) {
      const promised = wanted.split('@')[1]
      if (promised === undefined || runs === '' || runs.endsWith(promised)) continue
      const key = `${wanted} ${runs}`
      const same = asked.get(key) ?? isSame(wanted, runs, world.signal)
      asked.set(key, same)
      const answer = await same
      if (answer === undefined)
        world.progress.warn(`${nameOf(object)}: whether ${runs} is ${wanted} can't be found out`)
      if (answer !== false) continue
      const cause = {
        ...({ code: 'image-mismatch', pod, container } as const),
        text: `its container ${container} runs ${runs}, promised was ${wanted}`,
        remedy:
          'look who changes images on the way to the node: a webhook, a mirror, or the node itself',
      }
      found.push({ object, detail: 'another image runs', cause })
    }
  }
  if (found.length > 0) throw await explainFailure({ found, waiting, picture }, cluster, world)
}

async function isSame(
  wanted: string,
  runs: string,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  try {
    return await haveSameConfig(wanted, runs, signal)
  } catch {
    signal.throwIfAborted()
    return undefined // The registry is for the nodes; it may be out of reach from here.
  }
}

type Running = {
  readonly pod: string
  readonly container: string
  readonly wanted: string
  readonly runs: string
}

function imagesOfPod(pod: unknown): readonly Running[] {
  const statuses = [
    ...listAt(pod, 'status', 'initContainerStatuses'),
    ...listAt(pod, 'status', 'containerStatuses'),
  ]
  return ['initContainers', 'containers'].flatMap((key) =>
    listAt(pod, 'spec', key).map((container) => {
      const name = textAt(container, 'name') ?? ''
      const status = statuses.find((one) => textAt(one, 'name') === name)
      return {
        pod: textAt(pod, 'metadata', 'name') ?? '',
        container: name,
        wanted: textAt(container, 'image') ?? '',
        runs: at(status, 'imageID') === undefined ? '' : (textAt(status, 'imageID') ?? ''),
      }
    }),
  )
}
