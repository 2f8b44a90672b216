import { at, listAt, textAt } from '../../json.ts'
import { conditionOf, eventsAbout } from '../readiness/live.ts'
import type { Finding, PodContext } from './context.ts'

/** What keeps a pod from being ready when nothing is broken: used when time is up. */
export function lateCause(context: PodContext): Finding | undefined {
  const { pod, witness } = context
  const node = textAt(pod, 'spec', 'nodeName')
  if (node !== undefined) {
    const found = witness.read(`/api/v1/nodes/${node}`)
    const condition = typeof found === 'object' ? conditionOf(found.body, 'Ready') : undefined
    if (condition !== undefined && textAt(condition, 'status') !== 'True')
      return {
        code: 'node-not-ready',
        text: `its node ${node} is not ready: ${textAt(condition, 'message') ?? ''}`,
        remedy: 'mend the node, or drain it so that its pods go elsewhere',
      }
  }
  const probe = probeWords(context)
  const unready = [
    ...listAt(pod, 'status', 'initContainerStatuses'),
    ...listAt(pod, 'status', 'containerStatuses'),
  ].find((status) => at(status, 'ready') !== true && at(status, 'state', 'running') !== undefined)
  if (unready === undefined) return undefined
  return {
    code: 'not-ready',
    text:
      probe === undefined
        ? 'its container runs and is not ready'
        : `its container runs, and its ${probe}`,
    remedy: 'look at what the probe asks for, or give it more time',
  }
}

/** `readiness probe failed: HTTP probe failed with statuscode: 503`, as the kubelet said it last. */
function probeWords({ pod, picture }: PodContext): string | undefined {
  const said = eventsAbout(pod, picture).findLast(
    (event) => textAt(event, 'reason') === 'Unhealthy',
  )
  const message = textAt(said, 'message')
  return message === undefined
    ? undefined
    : `${message.charAt(0).toLowerCase()}${message.slice(1)}`.replaceAll(/\s+/g, ' ').trim()
}
