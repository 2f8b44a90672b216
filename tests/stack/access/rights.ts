import type { Answer, Cluster, Request } from '../../../src/cluster/cluster.ts'
import { listAt, textAt } from '../../../src/json.ts'
import { type KubeObject, parseManifests } from '../../../src/render/manifest.ts'
import type { World } from '../../../src/world.ts'

/** One thing that somebody may do or has done: `patch secrets todo-deploy-state`, `list deployments.apps`. */
export type Right = string

export type Recorder = {
  readonly cluster: Cluster
  /** Everything that was asked for, as rights with the name of the object. */
  readonly used: ReadonlySet<Right>
  /** What the server refused for lack of a right. */
  readonly refused: ReadonlySet<Right>
}

/** The same cluster, which keeps in mind what is asked of it. */
export function record(cluster: Cluster): Recorder {
  const [used, refused] = [new Set<Right>(), new Set<Right>()]
  const keep = (request: Request, answer?: Answer) => {
    for (const right of rightsFor(request, answer)) {
      used.add(right)
      if (answer?.status === 403) refused.add(right)
    }
  }
  return {
    used,
    refused,
    cluster: {
      ...cluster,
      call: async (request) => {
        const answer = await cluster.call(request)
        keep(request, answer)
        return answer
      },
      stream: async (path, onLine, signal) => {
        keep({ method: 'GET', path })
        await cluster.stream(path, onLine, signal)
      },
      exec: async (command) => {
        const path = `/api/v1/namespaces/${command.namespace}/pods/${command.pod}/exec`
        // Which of the two a server asks for depends on its version.
        keep({ method: 'GET', path })
        keep({ method: 'POST', path })
        return await cluster.exec(command)
      },
    },
  }
}

const RESOURCE =
  /^\/(?:api\/v1|apis\/([^/]+)\/[^/]+)(?:\/namespaces\/[^/]+(?=\/))?\/([a-z]+)(?:\/([^/]+)(?:\/([a-z]+))?)?/
const VERBS = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' } as const

/** The rights that a request needs; none for paths that are no objects, such as `/version`. */
function rightsFor({ method, path }: Request, answer?: Answer): readonly Right[] {
  const [place = '', query = ''] = path.split('?')
  const [, group, resource, name, part] = RESOURCE.exec(place) ?? []
  if (resource === undefined) return []
  const look = query.includes('watch=1') ? 'watch' : name === undefined ? 'list' : 'get'
  const verb = method === 'GET' ? look : VERBS[method]
  const full = [[resource, part].filter(Boolean).join('/'), group].filter(Boolean).join('.')
  const right = (of: string) => [of, full, name].filter(Boolean).join(' ')
  // An apply that makes the object needs the right to create it too.
  return answer?.status === 201 && verb === 'patch' ? [right(verb), right('create')] : [right(verb)]
}

/** What the rules of a Role allow, one by one. */
export function allowedBy(rules: readonly unknown[]): readonly Right[] {
  return rules.flatMap((rule) => {
    const names = listAt(rule, 'resourceNames').map((name) => ` ${String(name)}`)
    return listAt(rule, 'apiGroups').flatMap((group) =>
      listAt(rule, 'resources').flatMap((resource) =>
        listAt(rule, 'verbs').flatMap((verb) =>
          (names.length === 0 ? [''] : names).map(
            (name) =>
              `${String(verb)} ${String(resource)}${group === '' ? '' : `.${String(group)}`}${name}`,
          ),
        ),
      ),
    )
  })
}

/** Whether what is allowed covers what was done: for all names, or for this one. */
export function covers(allowed: Right, used: Right): boolean {
  return used === allowed || (allowed.split(' ').length === 2 && used.startsWith(`${allowed} `))
}

/** Resources that every deploy works with, whatever a release consists of. */
const ALWAYS: readonly Right[] = [
  'get namespaces',
  ...['deployments.apps', 'jobs.batch', 'pods', 'endpointslices.discovery.k8s.io'].flatMap(seen),
  ...['replicasets.apps', 'statefulsets.apps', 'daemonsets.apps'].flatMap(seen),
  ...['get pods/log', ...seen('events')],
  ...['get secrets', 'list secrets', 'create secrets', 'patch secrets todo-deploy-state'],
  'create leases.coordination.k8s.io',
  ...['get', 'update', 'delete'].map((verb) => `${verb} leases.coordination.k8s.io todo-deploy`),
]

/** Kinds whose state is watched only where a release has them. */
const WATCHED_WHERE_USED = [
  ...['externalsecrets.external-secrets.io', 'secretstores.external-secrets.io'],
  ...['horizontalpodautoscalers.autoscaling', 'ingresses.networking.k8s.io'],
  'httproutes.gateway.networking.k8s.io',
]

/** A StatefulSet does not replace a pod that never becomes ready: then it is deleted. */
export const RARE: Right = 'delete pods'
/** Asked for where it helps, and done without where it is refused: it is of the whole cluster. */
export const BORNE = /^(get|list) (nodes|(ingressclasses|storageclasses)\.)/

/** What a deploy of these objects needs: nothing else should be in the Role of the environment. */
export function neededFor(objects: readonly KubeObject[]): readonly Right[] {
  const resources = objects
    .filter(({ kind }) => kind !== 'Namespace')
    .map(resourceOf)
    .filter((resource, index, all) => all.indexOf(resource) === index)
  const written = resources.flatMap((resource) =>
    ['get', 'create', 'patch', 'delete'].map((verb) => `${verb} ${resource}`),
  )
  const watched = resources
    .filter((resource) => WATCHED_WHERE_USED.includes(resource))
    .flatMap(seen)
  const rare = resources.includes('statefulsets.apps') ? [RARE] : []
  return [...new Set([...ALWAYS, ...written, ...watched, ...rare])].toSorted()
}

function seen(resource: string): readonly Right[] {
  return [`list ${resource}`, `watch ${resource}`]
}

/** The plural of these kinds is regular. */
function resourceOf({ kind, apiVersion }: KubeObject): string {
  const plural = kind.toLowerCase().replace(/y$/, 'ie').replace(/ss$/, 'sse') + 's'
  const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0] ?? ''}` : ''
  return `${plural}${group}`
}

/** What the server itself says that a login may do in a namespace, in the form of a Role's rules. */
export async function rulesOf(cluster: Cluster, namespace: string): Promise<readonly unknown[]> {
  const answer = await cluster.call({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectRulesReview',
      spec: { namespace },
    },
  })
  if (answer.status !== 201 || textAt(answer.body, 'status', 'evaluationError') !== undefined)
    throw new Error(`the rules of ${namespace} can't be had: ${answer.text}`)
  return listAt(answer.body, 'status', 'resourceRules')
}

/** What everybody may do who has a login: ask about himself. */
export const EVERYBODY: readonly Right[] = [
  'create selfsubjectaccessreviews.authorization.k8s.io',
  'create selfsubjectreviews.authentication.k8s.io',
  'create selfsubjectrulesreviews.authorization.k8s.io',
]

/** The rights in the Role of the deployer, as a folder of access renders it. */
export async function renderRole(folder: string, world: World): Promise<readonly Right[]> {
  const argv = [await world.tools('kustomize'), 'build', folder] as const
  const { stdout } = await world.run({ argv, timeoutSeconds: 60 }, world.signal)
  const role = parseManifests(stdout, folder).find(
    ({ kind, metadata }) => kind === 'Role' && metadata.name.startsWith('deployer'),
  )
  return [...new Set(allowedBy(listAt(role, 'rules')))].toSorted()
}
