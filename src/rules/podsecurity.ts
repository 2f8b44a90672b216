import { at, isObject, listAt, textAt } from '../json.ts'
import type { Finding, Rule } from './rule.ts'
import type { Container, Workload } from './workload.ts'

/** What the profile "restricted" lets a pod mount; `hostPath` has a rule of its own. */
const VOLUMES = [
  ...['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim'],
  ...['projected', 'secret', 'hostPath'],
]
const SECCOMP = ['RuntimeDefault', 'Localhost']

/** The server enforces the profile on the namespace; here it is found before anything is sent. */
export const podSecurityRule: Rule = {
  name: 'pod-security',
  claim: 'Pods fit the Pod Security profile "restricted".',
  check: ({ workloads }) =>
    workloads.flatMap((workload) => [
      ...volumeFindings(workload),
      ...workload.containers.flatMap((container) => containerFindings(workload, container)),
    ]),
}

export const readOnlyRootRule: Rule = {
  name: 'read-only-root',
  claim: 'The root file system of each container is read-only.',
  check: eachContainer((_workload, { spec }) =>
    at(spec, 'securityContext', 'readOnlyRootFilesystem') === true
      ? undefined
      : [
          'securityContext.readOnlyRootFilesystem',
          'the root file system can be written; set this to true and mount an emptyDir where it must write',
        ],
  ),
}

export const numericUserRule: Rule = {
  name: 'numeric-user',
  claim: 'User and group are numbers, and not those of root.',
  check: (manifests) =>
    ['runAsUser', 'runAsGroup'].flatMap((field) =>
      eachContainer((workload, { spec }) => {
        const id = at(spec, 'securityContext', field) ?? at(workload.pod, 'securityContext', field)
        return typeof id === 'number' && id > 0
          ? undefined
          : [
              `securityContext.${field}`,
              `${field} is ${idText(id)}; set the number of the image's user`,
            ]
      })(manifests),
    ),
}

export const hostAccessRule: Rule = {
  name: 'host-access',
  claim: 'No pod reaches into its node: no host path, host network, host port, or privilege.',
  check: ({ workloads }) =>
    workloads.flatMap(({ object, pod, path, containers }) => [
      ...['hostNetwork', 'hostPID', 'hostIPC']
        .filter((field) => at(pod, field) === true)
        .map((field) => ({ object, path: `${path}.${field}`, message: `remove ${field}` })),
      ...listAt(pod, 'volumes')
        .filter((volume) => isObject(at(volume, 'hostPath')))
        .map((volume) => ({
          object,
          path: `${path}.volumes[${textAt(volume, 'name') ?? '?'}].hostPath`,
          message: "it mounts the node's files; use a claim, a ConfigMap or an emptyDir",
        })),
      ...containers.flatMap(({ spec, path: own }) => hostFindings(spec, own, object)),
    ]),
}

function hostFindings(spec: unknown, path: string, object: Finding['object']): Finding[] {
  const privileged = at(spec, 'securityContext', 'privileged') === true
  return [
    ...(privileged
      ? [{ object, path: `${path}.securityContext.privileged`, message: 'remove privileged' }]
      : []),
    ...listAt(spec, 'ports')
      .filter((port) => at(port, 'hostPort') !== undefined)
      .map((port) => ({
        object,
        path: `${path}.ports[${textAt(port, 'name') ?? '?'}].hostPort`,
        message: "it takes a port of the node; let a Service lead to the container's port",
      })),
  ]
}

function volumeFindings({ object, pod, path }: Workload): readonly Finding[] {
  return listAt(pod, 'volumes').flatMap((volume) => {
    const kinds = isObject(volume) ? Object.keys(volume).filter((key) => key !== 'name') : []
    const refused = kinds.find((kind) => !VOLUMES.includes(kind))
    const where = `${path}.volumes[${textAt(volume, 'name') ?? '?'}]`
    if (refused === undefined) return []
    return [{ object, path: where, message: `a volume of kind ${refused} is refused; use a claim` }]
  })
}

function containerFindings({ object, pod }: Workload, container: Container): readonly Finding[] {
  const own = (...keys: readonly string[]) => at(container.spec, 'securityContext', ...keys)
  const either = (...keys: readonly string[]) => own(...keys) ?? at(pod, 'securityContext', ...keys)
  const dropped = listAt(container.spec, 'securityContext', 'capabilities', 'drop')
  const added = listAt(container.spec, 'securityContext', 'capabilities', 'add')
  const checks: readonly (readonly [isGood: boolean, field: string, message: string])[] = [
    [either('runAsNonRoot') === true, 'runAsNonRoot', 'set it to true'],
    [
      own('allowPrivilegeEscalation') === false,
      'allowPrivilegeEscalation',
      'set it to false: a program could gain rights by setuid',
    ],
    [dropped.includes('ALL'), 'capabilities.drop', 'drop ALL'],
    [
      added.every((name) => name === 'NET_BIND_SERVICE'),
      'capabilities.add',
      'only NET_BIND_SERVICE may be added',
    ],
    [
      SECCOMP.includes(String(either('seccompProfile', 'type'))),
      'seccompProfile.type',
      'set it to RuntimeDefault, for the pod',
    ],
    [['undefined', 'Default'].includes(String(own('procMount'))), 'procMount', 'remove it'],
  ]
  return checks
    .filter(([isGood]) => !isGood)
    .map(([, field, message]) => ({
      object,
      path: `${container.path}.securityContext.${field}`,
      message,
    }))
}

function eachContainer(
  problemOf: (workload: Workload, container: Container) => readonly [string, string] | undefined,
): Rule['check'] {
  return ({ workloads }) =>
    workloads.flatMap((workload) =>
      workload.containers.flatMap((container) => {
        const [field, message] = problemOf(workload, container) ?? []
        if (field === undefined || message === undefined) return []
        return [{ object: workload.object, path: `${container.path}.${field}`, message }]
      }),
    )
}

function idText(id: unknown): string {
  return typeof id === 'number' ? String(id) : 'not set'
}
