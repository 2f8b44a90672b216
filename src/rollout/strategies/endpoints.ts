import type { NamespaceWatch, Picture } from '../../cluster/watch.ts'
import { at, listAt, textAt } from '../../json.ts'
import type { World } from '../../world.ts'
import { type Labels, labelsIn, matches } from './labels.ts'

/** A proof is looked at again this often, news or not. */
const LOOK_AGAIN_MS = 1_000

/** What is to be seen in the EndpointSlices of a Service. */
export type Proof = {
  readonly service: string
  /** All ready pods of these labels take requests. */
  readonly all: Labels
  /** How many they are at least. */
  readonly atLeast: number
  /** Whether pods of other labels may take requests too. */
  readonly others: boolean
}

/** Whether the slices prove it; if not, what is missing. */
export function look(
  proof: Proof,
  picture: Picture,
): { readonly isProved: boolean; readonly detail: string } {
  const { service, all, atLeast, others } = proof
  const wanted = readyPods(all, picture)
  const taking = takingRequests(service, picture)
  const [missing, foreign] = [
    wanted.filter((pod) => !taking.includes(pod)),
    taking.filter((pod) => !wanted.includes(pod)),
  ]
  const count = wanted.length - missing.length
  const detail = `${count} of ${Math.max(atLeast, wanted.length)} new pods take requests`
  const isClean = others || foreign.length === 0
  return {
    isProved: wanted.length >= atLeast && missing.length === 0 && isClean,
    detail: isClean ? detail : `${detail}, ${foreign.length} others still do`,
  }
}

/** Waits until all proofs hold. Returns those that did not by the deadline. */
export async function prove(
  proofs: readonly Proof[],
  watch: NamespaceWatch,
  context: { readonly world: World; readonly deadline: number },
): Promise<readonly string[]> {
  const { world, deadline } = context
  for (;;) {
    world.signal.throwIfAborted()
    const picture = watch.picture()
    const seen = proofs.map((proof) => ({ proof, ...look(proof, picture) }))
    world.progress.show(
      seen.map(
        ({ proof, isProved, detail }) =>
          `${isProved ? '✓' : '…'} requests of ${proof.service}: ${detail}`,
      ),
    )
    const open = seen.filter(({ isProved }) => !isProved)
    if (open.length === 0) return []
    if (world.clock.now().getTime() > deadline)
      return open.map(({ proof, detail }) => `Service ${proof.service}: ${detail}`)
    await watch.changed(LOOK_AGAIN_MS)
  }
}

/** Names of the pods with these labels that are ready and stay. */
export function readyPods(labels: Labels, picture: Picture): readonly string[] {
  return podsOf(labels, picture)
    .filter((pod) => textAt(pod, 'metadata', 'deletionTimestamp') === undefined)
    .filter((pod) =>
      listAt(pod, 'status', 'conditions').some(
        (condition) =>
          textAt(condition, 'type') === 'Ready' && textAt(condition, 'status') === 'True',
      ),
    )
    .map((pod) => textAt(pod, 'metadata', 'name') ?? '')
}

export function podsOf(labels: Labels, picture: Picture): readonly unknown[] {
  return picture.Pod.filter((pod) => matches(labels, labelsIn(at(pod, 'metadata', 'labels'))))
}

/** Names of the pods that a Service sends requests to. */
function takingRequests(service: string, picture: Picture): readonly string[] {
  const names = picture.EndpointSlice.filter(
    (slice) => textAt(slice, 'metadata', 'labels', 'kubernetes.io/service-name') === service,
  )
    .flatMap((slice) => listAt(slice, 'endpoints'))
    .filter((endpoint) => at(endpoint, 'conditions', 'ready') === true)
    .map((endpoint) => textAt(endpoint, 'targetRef', 'name') ?? '')
  return [...new Set(names)]
}
