import type { Cluster } from '../cluster/cluster.ts'
import { listAt, textAt } from '../json.ts'
import type { Cause } from './causes.ts'

/** What the cluster said about a failure, saved before anything is reverted. Secret values are masked. */
export type Evidence = {
  readonly object: string
  readonly logs: readonly string[]
  readonly events: readonly string[]
}

const LOG_LINES = 20
const EVENTS = 8
/** What the kubelet answers, with status 200, while it clears a container away. */
const LOG_GONE = /^unable to retrieve container logs/
/** Shorter values are ordinary words; masking them would only garble the text. */
const SECRET_MIN_LENGTH = 6

/** The last words of the container that failed, and the events of its pod. Missing pieces are left out, never an error. */
export async function collectEvidence(
  failure: { readonly object: string; readonly cause: Cause; readonly namespace: string },
  cluster: Cluster,
): Promise<Evidence> {
  const { namespace, cause, object } = failure
  const mask = maskerOf(await secretValues(namespace, cluster))
  const logs = cause.pod === undefined ? [] : await readLogs(namespace, cause, cluster)
  const events = cause.pod === undefined ? [] : await readEvents(namespace, cause.pod, cluster)
  return { object, logs: logs.map(mask), events: events.map(mask) }
}

/** Replaces every value by `***`. Values come from Secrets, plain and base64. */
export function maskerOf(values: readonly string[]): (text: string) => string {
  const known = values
    .filter((value) => value.length >= SECRET_MIN_LENGTH)
    .sort((a, b) => b.length - a.length)
  return (text) => known.reduce((masked, value) => masked.replaceAll(value, '***'), text)
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

async function readEvents(namespace: string, pod: string, cluster: Cluster): Promise<string[]> {
  const query = `fieldSelector=involvedObject.name%3D${pod}`
  const answer = await cluster.call({
    method: 'GET',
    path: `/api/v1/namespaces/${namespace}/events?${query}`,
  })
  return listAt(answer.body, 'items')
    .map((event) => `${textAt(event, 'reason') ?? ''}: ${textAt(event, 'message') ?? ''}`)
    .slice(-EVENTS)
}

async function secretValues(namespace: string, cluster: Cluster): Promise<string[]> {
  const answer = await cluster.call({
    method: 'GET',
    path: `/api/v1/namespaces/${namespace}/secrets`,
  })
  return listAt(answer.body, 'items').flatMap((secret) => {
    const data = (secret as { data?: Record<string, string> }).data ?? {}
    return Object.values(data).flatMap((encoded) => [
      encoded,
      Buffer.from(encoded, 'base64').toString('utf8'),
    ])
  })
}
