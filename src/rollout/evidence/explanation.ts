import { rm } from 'node:fs/promises'
import type { Cluster } from '../../cluster/cluster.ts'
import type { Picture } from '../../cluster/watch.ts'
import { type KubeObject, nameOf } from '../../render/manifest.ts'
import type { World } from '../../world.ts'
import type { Cause } from '../causes/codes.ts'
import { collectEvidence, type Evidence } from './evidence.ts'
import { saveEvidence } from './evidencefiles.ts'
import { RolloutFailed } from '../failure.ts'
import { isMask, openMask } from './mask.ts'

/** An object that is not ready, and why. */
export type FailedObject = {
  readonly object: KubeObject
  /** What was waited for. */
  readonly detail: string
  readonly cause?: Cause
  /** Whether nothing is known to be broken, and only time was up. */
  readonly isLate?: boolean
}

type Failure = {
  readonly found: readonly FailedObject[]
  readonly picture: Picture
  readonly waiting: {
    readonly namespace: string
    readonly evidenceFolder?: string
    readonly before?: readonly KubeObject[]
  }
}

/** Each further object that was late costs calls, and says little that is new. */
const EXPLAINED = 5

/**
 * What is thrown for objects that will not become ready. The evidence is collected now and written to files at once: what follows may
 * revert all of it, and may be killed on the way.
 */
export async function explainFailure(
  failure: Failure,
  cluster: Cluster,
  world: World,
): Promise<RolloutFailed> {
  const { found, waiting } = failure
  const { namespace } = waiting
  const mask = await openMask(namespace, cluster)
  const hide = (text: string) => (isMask(mask) ? mask(text) : text)
  const evidence: Evidence[] = []
  // What an earlier run has left there is of another failure.
  if (waiting.evidenceFolder !== undefined && waiting.evidenceFolder !== '')
    await rm(waiting.evidenceFolder, { recursive: true, force: true })
  for (const { object, cause } of found.slice(0, EXPLAINED)) {
    const place = {
      object: nameOf(object),
      namespace: object.metadata.namespace ?? namespace,
      mask,
    }
    const files = await saveEvidence({ ...failure, object, cause, mask }, cluster, world)
    const said = await collectEvidence({ ...place, cause }, cluster)
    evidence.push({ ...said, ...(files.length === 0 ? {} : { files }) })
  }
  const [first] = found
  const cause = first?.cause
  if (first === undefined) return new RolloutFailed('Not ready in time', undefined, evidence)
  const told =
    cause === undefined ? undefined : { ...cause, text: oneLine(hide(withNews(cause, evidence))) }
  if (first.isLate !== true && told !== undefined)
    return new RolloutFailed(
      `${nameOf(first.object)} will not become ready: ${told.text}; ${told.remedy}`,
      told,
      evidence,
    )
  const list = found.map(({ object, detail }) => `${nameOf(object)} (${detail})`).join(', ')
  const why =
    told === undefined
      ? '; look at its pods, or give it more time'
      : `: ${told.text}; ${told.remedy}`
  const late: Cause = told ?? {
    code: 'not-ready',
    text: first.detail,
    remedy: 'look at its pods, or give it more time',
  }
  return new RolloutFailed(`Not ready in time: ${list}${why}`, late, evidence)
}

/** The first line of a failure is one, also where it holds the words of somebody who speaks in several. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

/** An operator says only in an event what it was answered. */
function withNews({ text, subject }: Cause, evidence: readonly Evidence[]): string {
  const last = subject === undefined ? undefined : evidence[0]?.events.at(-1)
  const [, said = ''] = /^\w+: (.*)$/.exec(last ?? '') ?? []
  return last === undefined || (said !== '' && text.replaceAll(/\s+/g, ' ').includes(said))
    ? text
    : `${text}: ${last}`
}
