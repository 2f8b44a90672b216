import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cluster } from '../../cluster/cluster.ts'
import { differencesOf } from '../../cluster/diff.ts'
import { inParallel } from '../../cluster/parallel.ts'
import type { Picture } from '../../cluster/watch.ts'
import { messageOf } from '../../errors.ts'
import { at, isObject, listAt, textAt } from '../../json.ts'
import { keyOf, type KubeObject, nameOf } from '../../render/manifest.ts'
import type { World } from '../../world.ts'
import { toYaml } from '../../yaml.ts'
import type { Cause } from '../causes/codes.ts'
import { LOG_GONE } from './evidence.ts'
import {
  eventsAbout,
  findLive,
  newestPods,
  newestReplicaSet,
  ownedBy,
  timesOf,
} from '../readiness/live.ts'
import { isMask, type Mask, type NoMask } from './mask.ts'

/** Enough to see how it began, little enough to be read. */
const LOG_LINES = 500
const PODS = 5
const AT_ONCE = 8

export type FailureScene = {
  readonly object: KubeObject
  readonly cause: Cause | undefined
  readonly picture: Picture
  readonly mask: Mask | NoMask
  readonly waiting: {
    readonly namespace: string
    readonly evidenceFolder?: string
    readonly before?: readonly KubeObject[]
  }
}

/**
 * Writes all that the cluster says about a failed object to files: its state and that of its pods, logs of this and the last run of
 * each container, events, its nodes, and what is different from the last good release. Returns their names. Evidence is a help: a
 * piece that can't be had is named in its place, and never stops anything.
 */
export async function saveEvidence(
  scene: FailureScene,
  cluster: Cluster,
  world: World,
): Promise<readonly string[]> {
  const { waiting, object, mask } = scene
  const { evidenceFolder } = waiting
  // Without a mask there would be passwords in it.
  if (evidenceFolder === undefined || evidenceFolder === '' || !isMask(mask)) return []
  const name = `${object.kind}-${object.metadata.name}`.toLowerCase()
  try {
    const files = await gatherFiles(scene, cluster)
    const folder = join(evidenceFolder, name)
    await mkdir(folder, { recursive: true })
    for (const [file, text] of files) await writeFile(join(folder, file), mask(text))
    return files.map(([file]) => `${name}/${file}`)
  } catch (error) {
    world.progress.warn(`The evidence can't be written to ${evidenceFolder}: ${messageOf(error)}`)
    return []
  }
}

async function gatherFiles(
  scene: FailureScene,
  cluster: Cluster,
): Promise<readonly (readonly [string, string])[]> {
  const { object, picture } = scene
  const live = liveOf(object, picture)
  const set = newestReplicaSet(live, picture)
  const pods = newestPods(object, picture).slice(0, PODS)
  const logs = await inParallel(pods.flatMap(containersOf), AT_ONCE, (one) => readLog(one, cluster))
  const nodes = [...new Set(pods.flatMap((pod) => textAt(pod, 'spec', 'nodeName') ?? []))]
  const states = await inParallel(nodes, AT_ONCE, (node) => describeNode(node, cluster))
  const told = [live, set, ...ownedBy(live, picture.Pod), ...pods].flatMap((one) =>
    eventsAbout(one, picture),
  )
  const files: (readonly [string, string])[] = [
    ['cause.txt', causeText(scene)],
    ['object.yaml', live === undefined ? 'not there\n' : yamlOf(live)],
    ...(set === undefined ? [] : [['replicaset.yaml', yamlOf(set)] as const]),
    ...pods.map(
      (pod) => [`pod-${textAt(pod, 'metadata', 'name') ?? ''}.yaml`, yamlOf(pod)] as const,
    ),
    ['events.txt', eventText([...new Set(told)])],
    ['nodes.txt', states.join('\n')],
    ['difference.txt', differenceText(scene)],
    ...logs.flat(),
  ]
  return files.filter(([, text]) => text.trim() !== '')
}

function liveOf(object: KubeObject, picture: Picture): unknown {
  const list = (picture as Readonly<Record<string, readonly unknown[]>>)[object.kind]
  return list === undefined ? undefined : findLive(object, list)
}

function causeText({ object, cause }: FailureScene): string {
  if (cause === undefined) return `${nameOf(object)} was not ready in time\n`
  const place =
    cause.pod === undefined ? '' : `pod: ${cause.pod}\ncontainer: ${cause.container ?? ''}\n`
  return `object: ${nameOf(object)}\ncode: ${cause.code}\ncause: ${cause.text}\nremedy: ${cause.remedy}\n${place}`
}

/** As the server has it, without what only servers read. */
function yamlOf(live: unknown): string {
  if (!isObject(live)) return ''
  const metadata = isObject(live['metadata']) ? live['metadata'] : {}
  const { managedFields: _managed, ...kept } = metadata
  return toYaml({ ...live, metadata: kept })
}

function eventText(events: readonly unknown[]): string {
  return events
    .toSorted((a, b) => timeOf(a).localeCompare(timeOf(b)))
    .map((event) => {
      const kind = textAt(event, 'involvedObject', 'kind') ?? ''
      const name = textAt(event, 'involvedObject', 'name') ?? ''
      const said = (textAt(event, 'message') ?? '').replaceAll(/\s+/g, ' ')
      return `${timeOf(event)}  ${textAt(event, 'type') ?? ''}  ${kind} ${name}  ${textAt(event, 'reason') ?? ''} (${timesOf(event)})  ${said}\n`
    })
    .join('')
}

function timeOf(event: unknown): string {
  const { lastTimestamp, eventTime, metadata } = isObject(event) ? event : {}
  return (
    [lastTimestamp, eventTime, at(metadata, 'creationTimestamp')].find(
      (time): time is string => typeof time === 'string',
    ) ?? ''
  )
}

type ContainerPlace = {
  readonly namespace: string
  readonly pod: string
  readonly container: string
}

function containersOf(pod: unknown): readonly ContainerPlace[] {
  const place = {
    namespace: textAt(pod, 'metadata', 'namespace') ?? '',
    pod: textAt(pod, 'metadata', 'name') ?? '',
  }
  return ['initContainers', 'containers'].flatMap((key) =>
    listAt(pod, 'spec', key).map((container) => ({
      ...place,
      container: textAt(container, 'name') ?? '',
    })),
  )
}

async function readLog(
  { namespace, pod, container }: ContainerPlace,
  cluster: Cluster,
): Promise<readonly (readonly [string, string])[]> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log`
  const read = async (previous: boolean) => {
    const query = `container=${container}&tailLines=${LOG_LINES}&timestamps=true&previous=${previous}`
    const answer = await cluster.call({ method: 'GET', path: `${path}?${query}` })
    return answer.status === 200 && !LOG_GONE.test(answer.text) ? answer.text : ''
  }
  return [
    [`log-${pod}-${container}.previous.txt`, await read(true)],
    [`log-${pod}-${container}.txt`, await read(false)],
  ]
}

async function describeNode(node: string, cluster: Cluster): Promise<string> {
  const answer = await cluster.call({ method: 'GET', path: `/api/v1/nodes/${node}` })
  if (answer.status !== 200) return `${node}: this login may not look at nodes\n`
  const conditions = listAt(answer.body, 'status', 'conditions').map(
    (condition) =>
      `  ${textAt(condition, 'type') ?? ''}: ${textAt(condition, 'status') ?? ''} (${textAt(condition, 'reason') ?? ''}) ${textAt(condition, 'message') ?? ''}`,
  )
  const taints = listAt(answer.body, 'spec', 'taints').map(
    (taint) => `  taint ${textAt(taint, 'key') ?? ''}: ${textAt(taint, 'effect') ?? ''}`,
  )
  return [node, ...conditions, ...taints, ''].join('\n')
}

/** What this release changed about the object: the likeliest place of the fault. */
function differenceText({ object, waiting }: FailureScene): string {
  const before = waiting.before?.find((one) => keyOf(one) === keyOf(object))
  if (waiting.before === undefined) return 'There is no earlier release to compare with.\n'
  if (before === undefined) return 'The last good release did not have this object.\n'
  const lines = differencesOf(before, object).map(
    ({ path, before: was, after }) => `${path}\n  - ${show(was)}\n  + ${show(after)}\n`,
  )
  return lines.length === 0 ? 'Nothing is different from the last good release.\n' : lines.join('')
}

function show(value: unknown): string {
  return value === undefined ? '(nothing)' : JSON.stringify(value)
}
