import { at, isObject, listAt, textAt } from '../json.ts'
import { nameOf } from '../render/manifest.ts'
import type { Rule } from './rule.ts'
import { isNeighbour } from './selector.ts'
import { ofKind, type Workload } from './workload.ts'

export const noTokenRule: Rule = {
  name: 'no-token',
  claim: 'No pod is given a token for the API server; one that needs it asks with an exception.',
  check: ({ workloads }) =>
    workloads.flatMap((workload) => {
      const { object, pod, path } = workload
      const mounts = tokenVolumes(workload).map((name) => ({
        object,
        path: `${path}.volumes[${name}]`,
        message: 'it mounts a service account token; remove the volume',
      }))
      if (at(pod, 'automountServiceAccountToken') === false) return mounts
      const message = 'set it to false: a stolen token speaks for the pod'
      return [{ object, path: `${path}.automountServiceAccountToken`, message }, ...mounts]
    }),
}

export const ownServiceAccountRule: Rule = {
  name: 'own-service-account',
  claim: 'Each workload has a service account of its own, which the release brings.',
  check: (manifests) =>
    manifests.workloads.flatMap((workload) => {
      const { object, path } = workload
      const name = accountOf(workload)
      const found = (message: string) => [{ object, path: `${path}.serviceAccountName`, message }]
      if (name === 'default')
        return found('it runs as the account "default", which all share; name one of its own')
      const isThere = ofKind(manifests, 'ServiceAccount').some(
        (account) => account.metadata.name === name && isNeighbour(account, object),
      )
      if (!isThere) return found(`there is no ServiceAccount ${name}; add it beside the workload`)
      const other = manifests.workloads.find(
        (candidate) =>
          candidate !== workload &&
          accountOf(candidate) === name &&
          isNeighbour(candidate.object, object),
      )
      return other === undefined
        ? []
        : found(`${nameOf(other.object)} runs as ${name} too; give each an account of its own`)
    }),
}

function accountOf({ pod }: Workload): string {
  return textAt(pod, 'serviceAccountName') ?? textAt(pod, 'serviceAccount') ?? 'default'
}

function tokenVolumes({ pod }: Workload): readonly string[] {
  return listAt(pod, 'volumes')
    .filter((volume) =>
      listAt(volume, 'projected', 'sources').some((source) =>
        isObject(at(source, 'serviceAccountToken')),
      ),
    )
    .map((volume) => textAt(volume, 'name') ?? '?')
}
