import { type Cluster, reasonOf } from '../../cluster/cluster.ts'
import { UserError } from '../../errors.ts'
import { listAt, numberAt, textAt } from '../../json.ts'
import { keyOf, type KubeObject } from '../../render/manifest.ts'
import { baseOf, isSame, type Labels, matches, SET, TEMPLATE_HASH, TRACK } from './labels.ts'
import {
  behind,
  isShiftable,
  podLabelsOf,
  scales,
  selectorOf,
  wantedReplicas,
  workloadOf,
} from './sets.ts'

/** Pods that serve, and how a selector tells them from all others. */
export type PodSet = {
  readonly deployment: string
  readonly uid: string
  readonly labels: Labels
  /** How many there should be. */
  readonly replicas: number
}

/** Requests of a workload that have to go to other pods than now. */
export type Move = {
  readonly workload: string
  readonly namespace: string
  /** Services as the release has them, each with the selector that it has in the cluster now. */
  readonly services: readonly { readonly object: KubeObject; readonly selector: Labels }[]
  readonly from: PodSet
  /** The Deployment of the release. */
  readonly to: KubeObject
  /** How many pods it gets. */
  readonly replicas: number
  /** Whether that is the number of the old ones, since the manifests say none. */
  readonly isFollowing: boolean
  /** Other Deployments of the workload, which serve nothing: left by a run that was killed. */
  readonly stale: readonly Stale[]
}

export type Stale = { readonly deployment: string; readonly uid: string; readonly labels: Labels }

/** What the state of an environment keeps about a move, for the run after one that was killed. */
export type Traffic = Readonly<
  Record<string, { readonly deployment: string; readonly replicas: number }>
>

/** Objects of the release as they were read a moment ago, by key; one that is missing is not there. */
export type Seen = ReadonlyMap<string, unknown>

type Live = {
  readonly deployments: readonly unknown[]
  readonly replicaSets: readonly unknown[]
}

/**
 * What has to move for `objects` to be what runs: every Service whose pods are in the cluster, and belong to another Deployment than
 * the one of the release. `before` is what a killed run had found: it decides where two sets serve at once.
 */
export async function planMoves(
  objects: readonly KubeObject[],
  { before, live: seen }: { readonly before: Traffic; readonly live?: Seen | undefined },
  cluster: Cluster,
): Promise<readonly Move[]> {
  const found = new Map<string, Move>()
  const lists = new Map<string, Live>()
  for (const service of objects.filter(({ kind }) => kind === 'Service')) {
    const { namespace = '' } = service.metadata
    const [to, ...others] = behind(service, objects)
    if (to === undefined || others.length > 0 || !isShiftable(service)) continue
    if (service.metadata.labels?.[TRACK] !== undefined) continue
    const now = seen === undefined ? await readService(service, cluster) : seen.get(keyOf(service))
    if (now === undefined || !isShiftable(now)) continue
    const live = lists.get(namespace) ?? (await readLive(namespace, cluster))
    lists.set(namespace, live)
    const isScaled = objects.some((object) => scales(object, to.metadata.name))
    const move = moveOf({ service, to, selector: selectorOf(now), before, isScaled }, live)
    if (move === undefined) continue
    const known = found.get(to.metadata.name)
    found.set(
      to.metadata.name,
      known === undefined ? move : { ...known, services: [...known.services, ...move.services] },
    )
  }
  return [...found.values()]
}

/** The right pods serve already; only their selector, or what a killed run has left, is to be put right. */
export function isStay({ from, to }: Move): boolean {
  return from.deployment === to.metadata.name
}

/** The selector for the pods that serve now, and no others. */
export function holdSelector(selector: Labels, { from }: Move): Labels {
  return { ...baseOf(selector), ...from.labels }
}

type Question = {
  readonly service: KubeObject
  readonly to: KubeObject
  readonly selector: Labels
  readonly before: Traffic
  /** Whether an autoscaler of the release counts its pods. */
  readonly isScaled: boolean
}

function moveOf(
  { service, to, selector, before, isScaled }: Question,
  live: Live,
): Move | undefined {
  const workload = workloadOf(to)
  const related = live.deployments.filter(
    (deployment) =>
      workloadOf(deployment) === workload || matches(baseOf(selector), podLabelsOf(deployment)),
  )
  const from = servingOf({ related, selector, to, before: before[workload] }, live)
  if (from === undefined) return undefined
  const wanted = selectorOf(service)
  const isThere = from.deployment === to.metadata.name
  const stale = related.filter((deployment) => {
    const name = textAt(deployment, 'metadata', 'name')
    return (
      name !== from.deployment && name !== to.metadata.name && workloadOf(deployment) === workload
    )
  })
  // The pods are the right ones; a selector that no strategy has touched is written like any other field.
  const isSettled = isSame(wanted, selector) || isSame(baseOf(selector), selector)
  if (isThere && stale.length === 0 && isSettled) return undefined
  const count = isScaled ? undefined : wantedReplicas(to)
  const kept = before[workload]
  const replicas = Math.max(from.replicas, kept?.deployment === from.deployment ? kept.replicas : 0)
  return {
    workload,
    namespace: service.metadata.namespace ?? '',
    services: [{ object: service, selector }],
    from: { ...from, replicas },
    to,
    replicas: count ?? replicas,
    isFollowing: count === undefined,
    stale: stale.map((deployment) => ({
      deployment: textAt(deployment, 'metadata', 'name') ?? '',
      uid: textAt(deployment, 'metadata', 'uid') ?? '',
      labels: labelsOfSet(deployment, live) ?? {},
    })),
  }
}

/** Which pods a Service sends requests to now; undefined where it has none. */
function servingOf(
  question: {
    readonly related: readonly unknown[]
    readonly selector: Labels
    readonly to: KubeObject
    readonly before: Traffic[string] | undefined
  },
  live: Live,
): PodSet | undefined {
  const { related, selector, to, before } = question
  const name = (deployment: unknown) => textAt(deployment, 'metadata', 'name')
  const ready = (deployment: unknown) => numberAt(deployment, 'status', 'readyReplicas') ?? 0
  const { [TEMPLATE_HASH]: hash, ...plain } = selector
  const serving = related
    .filter((deployment) => matches(plain, podLabelsOf(deployment)))
    .filter(
      (deployment) =>
        hash === undefined ||
        setsOf(deployment, live).some(
          (set) => textAt(set, 'metadata', 'labels', TEMPLATE_HASH) === hash,
        ),
    )
    .filter((deployment) => (numberAt(deployment, 'spec', 'replicas') ?? 1) > 0)
    .toSorted((a, b) => ready(b) - ready(a))
  const chosen =
    serving.find((deployment) => name(deployment) === before?.deployment) ??
    serving.find((deployment) => name(deployment) !== to.metadata.name && ready(deployment) > 0) ??
    serving[0]
  if (chosen === undefined) return undefined
  const labels = labelsOfSet(chosen, live)
  if (labels === undefined) return undefined
  return {
    deployment: name(chosen) ?? '',
    uid: textAt(chosen, 'metadata', 'uid') ?? '',
    labels,
    replicas: numberAt(chosen, 'spec', 'replicas') ?? 1,
  }
}

/** A set has its label; the pods of an ordinary Deployment are those of its ReplicaSet that has most of them ready. */
function labelsOfSet(deployment: unknown, live: Live): Labels | undefined {
  const { [SET]: own } = podLabelsOf(deployment)
  if (own !== undefined) return { [SET]: own }
  const ready = (set: unknown) => numberAt(set, 'status', 'readyReplicas') ?? 0
  const [first] = setsOf(deployment, live).toSorted((a, b) => ready(b) - ready(a))
  const hash = textAt(first, 'metadata', 'labels', TEMPLATE_HASH)
  return hash === undefined ? undefined : { [TEMPLATE_HASH]: hash }
}

function setsOf(deployment: unknown, live: Live): readonly unknown[] {
  const uid = textAt(deployment, 'metadata', 'uid')
  return live.replicaSets.filter((set) =>
    listAt(set, 'metadata', 'ownerReferences').some((owner) => textAt(owner, 'uid') === uid),
  )
}

async function readService(service: KubeObject, cluster: Cluster): Promise<unknown> {
  const { name, namespace = '' } = service.metadata
  const path = `/api/v1/namespaces/${namespace}/services/${name}`
  const answer = await cluster.call({ method: 'GET', path })
  if (answer.status === 404) return undefined
  if (answer.status === 200) return answer.body
  throw new UserError(`Service ${namespace}/${name} can't be read: ${reasonOf(answer)}`)
}

async function readLive(namespace: string, cluster: Cluster): Promise<Live> {
  const list = async (kind: string) => {
    const path = `/apis/apps/v1/namespaces/${namespace}/${kind}`
    const answer = await cluster.call({ method: 'GET', path })
    if (answer.status === 200) return listAt(answer.body, 'items')
    throw new UserError(`This login can't see the ${kind} of ${namespace}: ${reasonOf(answer)}`)
  }
  const [deployments, replicaSets] = await Promise.all([list('deployments'), list('replicasets')])
  return { deployments, replicaSets }
}
