import { type Cluster, reasonOf } from '../../cluster/cluster.ts'
import { missingRight } from '../../cluster/rights.ts'
import type { Picture } from '../../cluster/watch.ts'
import type { Analysis, Prometheus } from '../../environments/strategy.ts'
import { at, listAt, numberAt, textAt } from '../../json.ts'
import type { KubeObject } from '../../render/manifest.ts'
import { podsOf, readyPods } from './endpoints.ts'
import type { Ground, Stage } from './ground.ts'
import type { Labels } from './labels.ts'
import type { Sample } from './verdict.ts'

const PROBE_TIMEOUT_S = 5
const SHORTEST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 1_000

/** Where the pods of a workload are asked. */
export type Question = { readonly port: number; readonly path: string }

export type Samples = {
  readonly canary: Sample
  readonly baseline: Sample
  /** Why something could not be looked at, or empty. */
  readonly doubt: string
}

type Side = {
  readonly labels: Labels
  answers: number
  errors: number
  latencies: number[]
  next: number
}

/**
 * Looks at both sides for a while, at the same time: asks a pod of each in turn, through the API server, counts restarts, and at the
 * end asks Prometheus where there is one.
 */
export async function collectSamples(
  what: {
    readonly deployment: KubeObject
    readonly canary: Labels
    readonly baseline: Labels
    readonly analysis: Analysis
    readonly seconds: number
    /** Told at every look how many seconds are left. */
    readonly onLook: (left: number) => void
  },
  ground: Ground,
  stage: Stage,
): Promise<Samples> {
  const { cluster, world } = ground
  const { analysis, seconds } = what
  const namespace = what.deployment.metadata.namespace ?? ''
  const question = questionOf(what.deployment, analysis)
  const sides = [newSide(what.canary), newSide(what.baseline)] as const
  const restarts = ({ labels }: Side) => restartsOf(labels, stage.watch.picture())
  const before = [restarts(sides[0]), restarts(sides[1])] as const
  const end = world.clock.now().getTime() + seconds * 1000
  const pause = Math.min(
    LONGEST_PAUSE_MS,
    Math.max(SHORTEST_PAUSE_MS, (seconds * 1000) / (analysis.samples * 2)),
  )
  let doubt = question === undefined ? 'the pods have no HTTP path to ask: give analysis.path' : ''
  while (world.clock.now().getTime() < end) {
    if (question !== undefined && doubt === '') {
      const words = await Promise.all(
        sides.map((side) => ask({ namespace, side, question }, ground, stage)),
      )
      doubt = words.find((word) => word !== '') ?? ''
    }
    what.onLook(Math.max(0, Math.ceil((end - world.clock.now().getTime()) / 1000)))
    await world.clock.sleep(pause, world.signal)
  }
  const picture = stage.watch.picture()
  const sampleOf = async (side: Side, restartsBefore: number): Promise<Sample> => {
    const { labels, answers, errors, latencies } = side
    const restarts = Math.max(0, restartsOf(labels, picture) - restartsBefore)
    const metrics = await askPrometheus(analysis.prometheus, labels, { picture, cluster })
    return { answers, errors, latencies, restarts, metrics }
  }
  const canary = await sampleOf(sides[0], before[0])
  return { canary, baseline: await sampleOf(sides[1], before[1]), doubt }
}

/** The path of the analysis, or that of the readiness probe, on the probe's port or the first one. */
export function questionOf(deployment: KubeObject, analysis: Analysis): Question | undefined {
  const containers = listAt(deployment, 'spec', 'template', 'spec', 'containers')
  const probed =
    containers.find((found) => at(found, 'readinessProbe', 'httpGet') !== undefined) ??
    containers[0]
  const path = analysis.path || textAt(probed, 'readinessProbe', 'httpGet', 'path')
  const named = at(probed, 'readinessProbe', 'httpGet', 'port')
  const ports = listAt(probed, 'ports')
  const port =
    typeof named === 'number'
      ? named
      : numberAt(ports.find((one) => textAt(one, 'name') === named) ?? ports[0], 'containerPort')
  return path === undefined || port === undefined ? undefined : { path, port }
}

function newSide(labels: Labels): Side {
  return { labels, answers: 0, errors: 0, latencies: [], next: 0 }
}

/** Asks the next pod of a side. Returns why nobody can be asked, or nothing. */
async function ask(
  how: { readonly namespace: string; readonly side: Side; readonly question: Question },
  { cluster, world }: Ground,
  { watch }: Stage,
): Promise<string> {
  const { namespace, side, question } = how
  const pods = readyPods(side.labels, watch.picture())
  const pod = pods[side.next % Math.max(1, pods.length)]
  if (pod === undefined) return ''
  side.next += 1
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}:${question.port}/proxy${question.path}`
  const began = world.clock.now().getTime()
  const answer = await cluster
    .call({ method: 'GET', path, timeoutSeconds: PROBE_TIMEOUT_S })
    .catch(() => undefined)
  world.signal.throwIfAborted()
  if (answer !== undefined && missingRight(answer) !== undefined)
    return `the pods can't be asked: ${reasonOf(answer)}`
  side.answers += 1
  if (answer === undefined || answer.status >= 400) side.errors += 1
  else side.latencies.push(world.clock.now().getTime() - began)
  return ''
}

/** How often containers of these pods were begun again, or are to be: one that has just ended is not counted by Kubernetes yet. */
export function restartsOf(labels: Labels, picture: Picture): number {
  const restarts = (pod: unknown): number => {
    const isLeaving = at(pod, 'metadata', 'deletionTimestamp') !== undefined
    return listAt(pod, 'status', 'containerStatuses').reduce<number>((sum, status) => {
      const hasEnded = !isLeaving && at(status, 'state', 'terminated') !== undefined
      return sum + (numberAt(status, 'restartCount') ?? 0) + (hasEnded ? 1 : 0)
    }, 0)
  }
  return podsOf(labels, picture).reduce<number>((sum, pod) => sum + restarts(pod), 0)
}

async function askPrometheus(
  prometheus: Prometheus | undefined,
  labels: Labels,
  context: { readonly picture: Picture; readonly cluster: Cluster },
): Promise<Sample['metrics']> {
  if (prometheus === undefined) return { errors: undefined, latency: undefined }
  const { namespace, service, port } = prometheus
  const pods = readyPods(labels, context.picture).join('|')
  const query = async (text: string | undefined): Promise<number | undefined> => {
    if (text === undefined) return undefined
    const words = new URLSearchParams({ query: text.replaceAll('{pods}', pods) })
    const path = `/api/v1/namespaces/${namespace}/services/${service}:${port}/proxy/api/v1/query?${words.toString()}`
    const answer = await context.cluster.call({ method: 'GET', path }).catch(() => undefined)
    const value = Number(at(answer?.body, 'data', 'result', 0, 'value', 1))
    return Number.isFinite(value) ? value : undefined
  }
  return { errors: await query(prometheus.errors), latency: await query(prometheus.latency) }
}
