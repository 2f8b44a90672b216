import type { Cluster } from '../../cluster/cluster.ts'
import { listAt, textAt } from '../../json.ts'
import type { Cause } from '../causes/codes.ts'
import { isMask, type Mask, type NoMask } from './mask.ts'

/** What the cluster said about a failure, saved before anything is reverted. Secret values are masked. */
export type Evidence = {
  readonly object: string
  readonly logs: readonly string[]
  readonly events: readonly string[]
  /** Names of the files that tell all of it, below the folder of the evidence. */
  readonly files?: readonly string[]
}

const LOG_LINES = 20
const EVENTS = 8
/** What the kubelet answers, with status 200, while it clears a container away. */
export const LOG_GONE = /^unable to retrieve container logs/

/** The last words of the container that failed, and the events of its pod. Missing pieces are left out, never an error. */
export async function collectEvidence(
  failure: {
    readonly object: string
    readonly cause: Cause | undefined
    readonly namespace: string
    readonly mask: Mask | NoMask
  },
  cluster: Cluster,
): Promise<Evidence> {
  const { namespace, cause, object, mask } = failure
  // Rather no words than words with a password in them.
  if (!isMask(mask)) {
    const why = `left out, since the Secrets of ${namespace} can't be read to mask them: ${mask.reason}`
    return { object, logs: [], events: [why] }
  }
  if (cause === undefined) return { object, logs: [], events: [] }
  const logs = cause.pod === undefined ? [] : await readLogs(namespace, cause, cluster)
  const events = await readEvents(namespace, cause, cluster)
  return { object, logs: logs.map(mask), events: events.map(mask) }
}

async function readLogs(namespace: string, cause: Cause, cluster: Cluster): Promise<string[]> {
  const path = `/api/v1/namespaces/${namespace}/pods/${cause.pod ?? ''}/log`
  for (const previous of [true, false, true]) {
    const query = `container=${cause.container ?? ''}&tailLines=${LOG_LINES}&previous=${previous}`
    const answer = await cluster.call({ method: 'GET', path: `${path}?${query}` })
    const text = answer.text.trim()
    if (answer.status === 200 && text !== '' && !LOG_GONE.test(text)) return text.split('\n')
  }
  return []
}

/** Oldest first. An operator also tells what went well, which explains no failure. */
async function readEvents(namespace: string, cause: Cause, cluster: Cluster): Promise<string[]> {
  const { pod, subject } = cause
  const fields =
    subject === undefined
      ? { 'involvedObject.name': pod }
      : {
          'involvedObject.kind': subject.kind,
          'involvedObject.name': subject.name,
          type: 'Warning',
        }
  if (pod === undefined && subject === undefined) return []
  const selector = Object.entries(fields).map(([field, value]) => `${field}=${value ?? ''}`)
  const query = `fieldSelector=${encodeURIComponent(selector.join(','))}`
  const answer = await cluster.call({
    method: 'GET',
    path: `/api/v1/namespaces/${namespace}/events?${query}`,
  })
  return listAt(answer.body, 'items')
    .toSorted((a, b) => timeOf(a).localeCompare(timeOf(b)))
    .map((event) => `${textAt(event, 'reason') ?? ''}: ${textAt(event, 'message') ?? ''}`)
    .map((line) => line.replaceAll(/\s+/g, ' '))
    .slice(-EVENTS)
}

function timeOf(event: unknown): string {
  return textAt(event, 'lastTimestamp') ?? textAt(event, 'eventTime') ?? ''
}
