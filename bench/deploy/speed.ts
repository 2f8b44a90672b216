import { performance } from 'node:perf_hooks'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { openProxy } from '../../tests/deploy/failures/proxy.ts'
import { loadNow } from '../measure.ts'
import { sayingOf } from './attempt.ts'
import { dropNamespaces } from './namespaces.ts'
import { contentsOf, seeReady } from './observer.ts'
import { deployBy, type Setting, type SideName, SIDES } from './sides.ts'
import { RENEWED, type Stack } from './stack.ts'

/** What one side took for the stack in a namespace that was not there, for the same release again, and for the next one. */
export type Turn = {
  readonly side: SideName
  /** Start to the moment from which an observer saw all services do their work. */
  readonly readySeconds: number
  /** Start to the end of the last program: when it says so. */
  readonly endSeconds: number
  readonly againSeconds: number
  /** The next release over it: start to the moment from which an observer saw its pods do the work. */
  readonly nextSeconds: number
  readonly load: number
  /** As many objects as kubectl names; 0 for the others. */
  readonly applied: number
}

export type Round = Readonly<Record<SideName, Turn>>

export type Speed = {
  readonly rounds: readonly Round[]
  readonly calls: readonly Calls[]
  /** How many the stack has. */
  readonly objects: number
}

/** Requests to the API server for the same release again. */
export type Calls = { readonly side: SideName; readonly requests: number; readonly watches: number }

type Stacks = { readonly now: Stack; readonly next: Stack }

/** All three in turn, as often as `rounds` says; who begins changes. After the last round requests are counted, and nothing is timed. */
export async function measureSpeed(
  stacks: Stacks,
  how: { readonly setting: Setting; readonly cluster: Cluster; readonly rounds: number },
  onTurn: (turn: Turn) => void,
): Promise<Speed> {
  const rounds: Round[] = []
  const calls: Calls[] = []
  let objects = 0
  await fetchImages(stacks, how)
  for (let round = 0; round < how.rounds; round += 1) {
    const found: Partial<Record<SideName, Turn>> = {}
    const shift = round % SIDES.length
    for (const side of [...SIDES.slice(shift), ...SIDES.slice(0, shift)]) {
      const namespace = `todo-bench-${side}-${process.pid.toString(36)}-${round}`
      try {
        const turn = await takeTurn({ side, namespace, stacks }, how)
        found[side] = turn
        onTurn(turn)
        objects = Math.max(objects, turn.applied)
        if (round === how.rounds - 1)
          calls.push(await countCalls({ side, namespace, stack: stacks.next }, how.setting))
      } finally {
        await dropNamespaces([namespace], how.cluster)
      }
    }
    const { ours, kubectl, helm } = found
    if (ours === undefined || kubectl === undefined || helm === undefined)
      throw new Error('a side was not measured')
    rounds.push({ ours, kubectl, helm })
  }
  return { rounds, calls, objects }
}

/** The node has no image of the stack at first: whoever is first would wait for them alone. */
async function fetchImages(
  stacks: Stacks,
  how: { readonly setting: Setting; readonly cluster: Cluster },
): Promise<void> {
  const namespace = `todo-bench-first-${process.pid.toString(36)}`
  try {
    await takeTurn({ side: 'kubectl', namespace, stacks }, how)
  } finally {
    await dropNamespaces([namespace], how.cluster)
  }
}

async function takeTurn(
  what: { readonly side: SideName; readonly namespace: string; readonly stacks: Stacks },
  { setting, cluster }: { readonly setting: Setting; readonly cluster: Cluster },
): Promise<Turn> {
  const { side, namespace, stacks } = what
  const target = await stacks.now.targetFor(namespace)
  const load = loadNow()
  const began = performance.now()
  const [end, ready] = await Promise.all([
    deployBy(side, target, setting),
    seeReady(namespace, cluster),
  ])
  if (end.status !== 0) throw new Error(`${side} could not deploy the stack:\n${sayingOf(end)}`)
  const again = await deployBy(side, target, setting)
  if (again.status !== 0) throw new Error(`${side} failed at once again:\n${sayingOf(again)}`)
  const following = await stacks.next.targetFor(namespace)
  const before = await contentsOf(RENEWED, namespace, cluster)
  const then = performance.now()
  const [next, renewed] = await Promise.all([
    deployBy(side, following, setting),
    seeReady(namespace, cluster, before),
  ])
  if (next.status !== 0) throw new Error(`${side} failed with the next one:\n${sayingOf(next)}`)
  return {
    ...{ side, load, readySeconds: (ready - began) / 1000, nextSeconds: (renewed - then) / 1000 },
    ...{ endSeconds: end.seconds, againSeconds: again.seconds },
    applied: end.lines.filter(({ text }) => text.endsWith(' serverside-applied')).length,
  }
}

/** Through a proxy that counts, so not timed. */
async function countCalls(
  {
    side,
    namespace,
    stack,
  }: { readonly side: SideName; readonly namespace: string; readonly stack: Stack },
  setting: Setting,
): Promise<Calls> {
  const proxy = await openProxy()
  try {
    const target = { ...(await stack.targetFor(namespace)), kubeconfig: proxy.kubeconfig }
    const end = await deployBy(side, target, setting)
    if (end.status !== 0) throw new Error(`${side} failed:\n${sayingOf(end)}`)
    const watches = proxy.asked.filter((line) => /[?&]watch=(1|true)/.test(line)).length
    return { side, requests: proxy.asked.length, watches }
  } finally {
    await proxy.close()
  }
}
