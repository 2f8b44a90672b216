import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { toYaml } from '../../src/yaml.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { parseJson, textAt } from '../../src/json.ts'
import type { KubeObject } from '../../src/render/manifest.ts'
import { type Failure, failures } from '../../tests/deploy/failures/failures.ts'
import { goodRelease, type Seed } from '../../tests/deploy/failures/objects.ts'
import { formatImageSet } from '../../src/release/imageset.ts'
import { type Attempt, sayingOf } from './attempt.ts'
import { dropNamespaces, makeNamespace } from './namespaces.ts'
import { deployBy, reportOf, type Setting, type SideName, type Target } from './sides.ts'

/** The failures that are promised; the set of the tests has more. */
const PROMISED = [
  ...['wrong image', 'wrong tag, right name', 'missing secret key', 'crash at start'],
  ...['crash after ready', 'never ready', 'out of memory', 'unschedulable', 'quota'],
  ...['denied by admission', 'failing migration', 'bad volume'],
]
/** What people wait for peers, who have nothing but this to end by. */
export const PEER_LIMIT_S = 300
/** Where the cluster shows nothing, only a deadline can tell: it is the same choice for all, and ours is given what a user may. */
const OWN_LIMIT_S = 120

/** How a deploy ended that must fail. */
export type Verdict = {
  readonly side: SideName
  readonly failure: string
  /** Start to the line that says so; of a side that says nothing, to its end. */
  readonly seconds: number
  /** Whether it was called a failure at all. */
  readonly isRight: boolean
  /** Whether what was said names the cause, by the words that the failure was seeded with. */
  readonly isNamed: boolean
  /** Of ours: the code of the cause, and when everything was as before again. */
  readonly cause?: string
  readonly endSeconds?: number
  readonly said: string
}

type Stage = { readonly setting: Setting; readonly cluster: Cluster; readonly image: string }

/** Ours one after the other; then both peers, all failures at the same time, each with its five minutes. */
export async function measureFailures(
  stage: Stage,
  onVerdict: (verdict: Verdict) => void,
): Promise<readonly Verdict[]> {
  const chosen = PROMISED.map((name) => {
    const failure = failures.find((one) => one.name === name)
    if (failure === undefined) throw new Error(`there is no failure "${name}" in the tests`)
    return failure
  })
  const verdicts: Verdict[] = []
  const add = (verdict: Verdict) => {
    verdicts.push(verdict)
    onVerdict(verdict)
  }
  for (const failure of chosen) add(await judge('ours', failure, stage))
  const peers = ['kubectl', 'helm'] as const
  const waiting = peers.flatMap((side) => chosen.map((failure) => judge(side, failure, stage)))
  // All of them end before one that could not be measured ends the run: each removes what it has made.
  for (const end of await Promise.allSettled(waiting)) {
    if (end.status === 'rejected') throw end.reason
    add(end.value)
  }
  return verdicts
}

async function judge(side: SideName, failure: Failure, stage: Stage): Promise<Verdict> {
  const { setting, cluster } = stage
  const place = failure.name.replaceAll(/[^a-z]+/g, '-')
  const namespace = `todo-bench-${process.pid.toString(36)}-${side}-${place}`
  const seed: Seed = { namespace, image: stage.image }
  await makeNamespace(namespace, cluster, { 'pod-security.kubernetes.io/enforce': 'baseline' })
  try {
    const good = await targetOf({ name: 'good', objects: goodRelease(seed) }, namespace, setting)
    const begin = () => deployBy(side, { ...good, timeoutSeconds: PEER_LIMIT_S }, setting)
    let first = await begin()
    // What is good is not measured: where the cluster has hiccuped, once more.
    if (first.status !== 0) first = await begin()
    if (first.status !== 0) throw new Error(`${side} failed with what is good:\n${sayingOf(first)}`)
    await failure.prepare?.(seed, cluster)
    const broken = { name: 'broken', objects: failure.objects(seed) }
    const target = await targetOf(broken, namespace, setting)
    const own = failure.timeoutSeconds ?? OWN_LIMIT_S
    const timeoutSeconds = side === 'ours' ? own : PEER_LIMIT_S
    const end = await deployBy(side, { ...target, timeoutSeconds }, setting)
    const found = { side, failure: failure.name }
    return side === 'ours'
      ? { ...found, ...(await ownVerdict(end, failure, reportOf(target, setting))) }
      : { ...found, ...peerVerdict(end, failure) }
  } finally {
    await dropNamespaces([namespace], cluster)
  }
}

type Ended = Omit<Verdict, 'side' | 'failure'>

/** The line that tells comes before the way back; the report says which it is. */
async function ownVerdict(end: Attempt, failure: Failure, file: string): Promise<Ended> {
  const report = parseJson(await readFile(file, 'utf8'), file)
  const message = textAt(report, 'message') ?? ''
  const told = end.lines.find(
    ({ text }) => /^::(warning|error)/.test(text) && failure.says.test(text),
  )
  const whole = sayingOf(end)
  const cause = textAt(report, 'cause') ?? codeIn(whole)
  return {
    ...{ seconds: told?.seconds ?? end.seconds, endSeconds: end.seconds, cause },
    isRight: end.status !== 0,
    isNamed: told !== undefined && (cause === '' || failure.codes.includes(cause)),
    said: (told?.text ?? message).replace(/^::(warning|error)[^:]*::/, '').slice(0, 300),
  }
}

/** A refusal has its own report, which names the code of its first problem. */
function codeIn(text: string): string {
  return /"cause":\s*"([a-z-]+)"/.exec(text)?.[1] ?? ''
}

function peerVerdict(end: Attempt, failure: Failure): Ended {
  const said = end.lines.at(-1)?.text ?? ''
  return {
    seconds: end.seconds,
    isRight: end.status !== 0,
    isNamed: end.status !== 0 && failure.says.test(sayingOf(end)),
    said: said.slice(0, 300),
  }
}

type Content = { readonly name: string; readonly objects: readonly KubeObject[] }

/** The same objects as an overlay of a tree, for kubectl and for ours, and as a chart. */
async function targetOf(
  { name, objects }: Content,
  namespace: string,
  setting: Setting,
): Promise<Target> {
  const folder = join(setting.folder, 'failures', namespace)
  const all = objects.map((object) => toYaml(object)).join('---\n')
  const environment = { overlay: `overlays/${name}`, namespace }
  const chart = { apiVersion: 'v2', name: 'bench', version: '0.0.0' }
  const files = {
    'images.lock.json': formatImageSet({ version: 1, images: {} }),
    'k8s/environments.yaml': toYaml({
      application: 'bench',
      environments: { [name]: environment },
    }),
    [`k8s/overlays/${name}/kustomization.yaml`]: toYaml({
      ...{ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' },
      resources: ['all.yaml'],
    }),
    [`k8s/overlays/${name}/all.yaml`]: all,
    [`charts/${name}/Chart.yaml`]: toYaml(chart),
    [`charts/${name}/templates/all.yaml`]: all,
  }
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    await writeFile(join(folder, file), text)
  }
  return {
    ...{ namespace, timeoutSeconds: OWN_LIMIT_S, values: [] },
    inputs: {
      ...{ environment: name, path: join(folder, 'k8s') },
      images: join(folder, 'images.lock.json'),
    },
    overlay: join(folder, 'k8s', 'overlays', name),
    chart: join(folder, 'charts', name),
    workloads: objects.filter(({ kind }) => kind === 'Deployment').map(nameFor),
    jobs: objects.filter(({ kind }) => kind === 'Job').map(nameFor),
  }
}

function nameFor({ kind, metadata }: KubeObject): string {
  return `${kind.toLowerCase()}/${metadata.name}`
}
