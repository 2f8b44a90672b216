import { setTimeout as sleep } from 'node:timers/promises'
import { performance } from 'node:perf_hooks'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { at, listAt, numberAt, textAt } from '../../src/json.ts'

/** What the stack brings: workloads with pods, and what each service answers where it has all that it needs. */
const DEPLOYMENTS = ['frontend', 'backend', 'mcp-server', 'ai-agent', 'local-model']
const STATEFUL_SETS = ['postgresql']
/** The database is asked by those that need it. */
const QUESTIONS = [
  'frontend-service:3000/proxy/api/ready',
  'backend-service:8000/proxy/ready',
  'mcp-service:8001/proxy/ready',
  'ai-agent-service:8002/proxy/ready',
]
const LOOK_AGAIN_MS = 150
/** It has to hold for so many looks: one that is true by chance is not the truth. */
const LOOKS = 3
const LIMIT_MS = 300_000

/**
 * Looks from outside whether the stack does its work: all pods of the newest content ready for as long as they have to be, the migration
 * complete, and every service answering a request that goes through to the database. Knows nothing of who deploys, and uses nothing of
 * the product's own judgement. With `before`, every Deployment that it names must have another content than there. Resolves with the moment of
 * the first of the looks that found it so.
 */
export async function seeReady(
  namespace: string,
  cluster: Cluster,
  before: Contents = new Map(),
): Promise<number> {
  const deadline = performance.now() + LIMIT_MS
  let [good, first] = [0, 0]
  while (good < LOOKS) {
    const now = performance.now()
    if (now > deadline) throw new Error(`${namespace} has not become ready`)
    const isSo =
      (await areThere(namespace, cluster, before)) && (await doAnswer(namespace, cluster))
    good = isSo ? good + 1 : 0
    if (good === 1) first = now
    await sleep(LOOK_AGAIN_MS)
  }
  return first
}

/** Deployment → what its pods are made from. */
export type Contents = ReadonlyMap<string, string>

export async function contentsOf(
  names: readonly string[],
  namespace: string,
  cluster: Cluster,
): Promise<Contents> {
  const deployments = await list('/apis/apps/v1/namespaces/%/deployments', namespace, cluster)
  return new Map(
    deployments
      .map((one) => [textAt(one, 'metadata', 'name') ?? '', contentOf(one)] as const)
      .filter(([name]) => names.includes(name)),
  )
}

function contentOf(deployment: unknown): string {
  return JSON.stringify(at(deployment, 'spec', 'template'))
}

async function list(
  path: string,
  namespace: string,
  cluster: Cluster,
): Promise<readonly unknown[]> {
  const { body } = await cluster.call({ method: 'GET', path: path.replace('%', namespace) })
  return listAt(body, 'items')
}

async function areThere(namespace: string, cluster: Cluster, before: Contents): Promise<boolean> {
  const [deployments, statefulSets, jobs] = await Promise.all([
    list('/apis/apps/v1/namespaces/%/deployments', namespace, cluster),
    list('/apis/apps/v1/namespaces/%/statefulsets', namespace, cluster),
    list('/apis/batch/v1/namespaces/%/jobs', namespace, cluster),
  ])
  const isIn = (found: readonly unknown[]) => (name: string) =>
    found.some(
      (one) =>
        textAt(one, 'metadata', 'name') === name &&
        contentOf(one) !== before.get(name) &&
        isAvailable(one),
    )
  return (
    DEPLOYMENTS.every(isIn(deployments)) &&
    STATEFUL_SETS.every(isIn(statefulSets)) &&
    jobs.some((job) => (numberAt(job, 'status', 'succeeded') ?? 0) > 0)
  )
}

function isAvailable(live: unknown): boolean {
  const wanted = numberAt(live, 'spec', 'replicas')
  return (
    wanted !== undefined &&
    // Pods of before would be counted as available, too.
    numberAt(live, 'status', 'replicas') === wanted &&
    numberAt(live, 'status', 'updatedReplicas') === wanted &&
    numberAt(live, 'status', 'availableReplicas') === wanted &&
    at(live, 'status', 'observedGeneration') === at(live, 'metadata', 'generation')
  )
}

async function doAnswer(namespace: string, cluster: Cluster): Promise<boolean> {
  const answers = await Promise.all(
    QUESTIONS.map((question) =>
      cluster.call({ method: 'GET', path: `/api/v1/namespaces/${namespace}/services/${question}` }),
    ),
  )
  return answers.every(({ status }) => status === 200)
}
