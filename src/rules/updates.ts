import { at, isObject, listAt, numberAt, textAt } from '../json.ts'
import { portsOf } from './ports.ts'
import type { Finding, Rule } from './rule.ts'
import type { Container, Workload } from './workload.ts'

/** What Kubernetes takes where a pod says nothing. */
const DEFAULT_GRACE_S = 30

/** Of Deployments: a StatefulSet of one has nothing to go over to. */
export const rollingUpdateRule: Rule = {
  name: 'rolling-update',
  claim: 'An update takes no pod away before its successor has proved itself.',
  check: ({ workloads }) =>
    workloads.filter(isDeployment).flatMap(({ object }) => {
      const strategy = (...keys: readonly string[]) => at(object, 'spec', 'strategy', ...keys)
      const type = strategy('type') ?? 'RollingUpdate'
      if (type !== 'RollingUpdate')
        return [
          finding(object, 'spec.strategy.type', 'use RollingUpdate: others stop all pods first'),
        ]
      const surge = strategy('rollingUpdate', 'maxSurge')
      return [
        isNone(strategy('rollingUpdate', 'maxUnavailable'))
          ? undefined
          : finding(
              object,
              'spec.strategy.rollingUpdate.maxUnavailable',
              'set it to 0: else a pod goes before the next is ready',
            ),
        isNone(surge)
          ? finding(object, 'spec.strategy.rollingUpdate.maxSurge', 'let it be 1 or more')
          : undefined,
        (numberAt(object, 'spec', 'minReadySeconds') ?? 0) > 0
          ? undefined
          : finding(
              object,
              'spec.minReadySeconds',
              'set some seconds: a pod that crashes right after its first answer must not count',
            ),
      ].filter((found) => found !== undefined)
    }),
}

export const drainRule: Rule = {
  name: 'drain',
  claim: 'A pod that others call serves on while they are told that it goes, and has time to end.',
  check: ({ workloads }) =>
    workloads
      .filter(isDeployment)
      .flatMap((workload) =>
        workload.containers
          .filter((container) => container.role !== 'init' && portsOf(container).length > 0)
          .flatMap((container) => drainFindings(workload, container)),
      ),
}

function drainFindings(workload: Workload, container: Container): readonly Finding[] {
  const { object, pod, path } = workload
  const preStop = at(container.spec, 'lifecycle', 'preStop')
  if (!isObject(preStop))
    return [
      finding(
        object,
        `${container.path}.lifecycle.preStop`,
        'sleep some seconds first: endpoints are removed while SIGTERM is on its way',
      ),
    ]
  const pause = secondsOf(preStop)
  const grace = numberAt(pod, 'terminationGracePeriodSeconds') ?? DEFAULT_GRACE_S
  if (grace > pause) return []
  const message = `${grace} s are over before the preStop pause of ${pause} s; give it longer`
  return [finding(object, `${path}.terminationGracePeriodSeconds`, message)]
}

/** How long a hook pauses: `sleep` of Kubernetes, or the program of that name; of others nobody knows. */
function secondsOf(preStop: unknown): number {
  const [program, seconds] = listAt(preStop, 'exec', 'command').map(String)
  const isSleep = program !== undefined && /(^|\/)sleep$/.test(program)
  return numberAt(preStop, 'sleep', 'seconds') ?? (isSleep ? Number(seconds ?? 0) : 0)
}

function isDeployment({ object }: Workload): boolean {
  return object.kind === 'Deployment'
}

function isNone(value: unknown): boolean {
  return value === 0 || textAt({ value }, 'value') === '0%'
}

function finding(object: Finding['object'], path: string, message: string): Finding {
  return { object, path, message }
}
