import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { moduleSource } from '../../lab/gotools.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { listAt, textAt } from '../../src/json.ts'
import { baseEnvironment } from '../sides.ts'
import type { Setting } from './sides.ts'

/** Nodes of kwok: they say that they run pods, and run nothing. */
export type FakeNodes = { readonly remove: () => Promise<void> }

/** Only pods that ask for such nodes come to them. */
export const FAKE = 'kwok.x-k8s.io/node'
/** How kwok's own makers have nodes and pods behave; without them it does nothing. */
const STAGES = [
  'node/fast/node-initialize.yaml',
  'node/heartbeat-with-lease/node-heartbeat-with-lease.yaml',
  'pod/fast/pod-ready.yaml',
  'pod/fast/pod-delete.yaml',
]
const COUNT = 4
const PODS_EACH = '250'
const START_MS = 60_000
const LOOK_AGAIN_MS = 500

export async function openFakeNodes(setting: Setting, cluster: Cluster): Promise<FakeNodes> {
  const names = Array.from(
    { length: COUNT },
    (_none, index) => `todo-bench-${process.pid.toString(36)}-${index}`,
  )
  const nodes = '/api/v1/nodes'
  const source = await moduleSource('kwok', 'sigs.k8s.io/kwok')
  const stages = STAGES.map((file) => join(source, 'kustomize', 'stage', file))
  const kwok = spawn(
    setting.programs.kwok,
    [
      ...['--kubeconfig', setting.lab.kubeconfig],
      ...stages.flatMap((file) => ['--config', file]),
      ...[`--manage-nodes-with-annotation-selector=${FAKE}=fake`],
      ...['--node-lease-duration-seconds=40', '--v=ERROR'],
    ],
    // Its own home: a configuration of the person who runs this must not matter.
    { env: { ...baseEnvironment(setting.lab), HOME: setting.folder }, stdio: 'ignore' },
  )
  const remove = async () => {
    for (const name of names) await cluster.call({ method: 'DELETE', path: `${nodes}/${name}` })
    if (kwok.exitCode !== null || !kwok.kill('SIGTERM')) return
    await once(kwok, 'close')
  }
  try {
    for (const name of names) {
      const answer = await cluster.call({ method: 'POST', path: nodes, body: nodeOf(name) })
      if (answer.status >= 300) throw new Error(`${name}: ${answer.text}`)
    }
    await waitUntilReady(names, cluster)
    return { remove }
  } catch (error) {
    await remove()
    throw error
  }
}

async function waitUntilReady(names: readonly string[], cluster: Cluster): Promise<void> {
  const deadline = performance.now() + START_MS
  for (;;) {
    const { body } = await cluster.call({ method: 'GET', path: '/api/v1/nodes' })
    const ready = listAt(body, 'items').filter((node) =>
      listAt(node, 'status', 'conditions').some(
        (one) => textAt(one, 'type') === 'Ready' && textAt(one, 'status') === 'True',
      ),
    )
    const known = ready.map((node) => textAt(node, 'metadata', 'name') ?? '')
    if (names.every((name) => known.includes(name))) return
    if (performance.now() > deadline) throw new Error('the nodes of kwok have not become ready')
    await sleep(LOOK_AGAIN_MS)
  }
}

function nodeOf(name: string): unknown {
  const resources = { cpu: '64', memory: '256Gi', pods: PODS_EACH }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations: { [FAKE]: 'fake', 'node.alpha.kubernetes.io/ttl': '0' },
      labels: { type: 'kwok', 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' },
    },
    spec: { taints: [{ key: FAKE, value: 'fake', effect: 'NoSchedule' }] },
    status: { allocatable: resources, capacity: resources },
  }
}
