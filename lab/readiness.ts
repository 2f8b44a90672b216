import { attempt } from './command.ts'
import { LabError } from './failure.ts'
import { waitFor } from './wait.ts'

/** A question to the cluster: the words after `kubectl get`, answered by what it prints, or nothing where it fails. */
export type Ask = (...what: readonly string[]) => Promise<string>

const ASK_SECONDS = 10
// What every cluster of the lab has to run before it is of use to anybody.
const SYSTEM = [
  'kube-system/coredns',
  'kube-system/kube-proxy',
  'local-path-storage/local-path-provisioner',
]

export function askWith(kubectl: readonly string[]): Ask {
  return async (...what) => {
    const argv = [...kubectl, '--request-timeout=5s', 'get', ...what]
    return (await attempt(argv, { timeoutSeconds: ASK_SECONDS })).stdout.trim()
  }
}

/** Waits until the node itself has spoken since it was started; what it said before does not count. */
export async function waitForNode(ask: Ask, since: Date, seconds: number): Promise<void> {
  await waitUntilNothingIsMissing(seconds, async () => {
    const lease = await ask(
      'leases',
      '--namespace',
      'kube-node-lease',
      '--output',
      'jsonpath={.items[*].spec.renewTime}',
    )
    if (!(new Date(lease) > since)) return 'a sign of life of the node'
    const ready = '{.items[*].status.conditions[?(@.type=="Ready")].status}'
    return (await ask('nodes', '--output', `jsonpath=${ready}`)) === 'True'
      ? undefined
      : 'a ready node'
  })
}

/** Waits until the cluster's own services run, each started since the node was. */
export async function waitForSystem(ask: Ask, since: Date, seconds: number): Promise<void> {
  const isDefault =
    '{.items[*].metadata.annotations.storageclass\\.kubernetes\\.io/is-default-class}'
  const container = '.status.containerStatuses[0]'
  const pods = `{range .items[*]}{.metadata.namespace}/{.metadata.name} {${container}.ready} {${container}.state.running.startedAt}{"\\n"}{end}`
  await waitUntilNothingIsMissing(seconds, async () => {
    const classes = await ask('storageclass', '--output', `jsonpath=${isDefault}`)
    if (!classes.includes('true')) return 'a default StorageClass'
    return findMissingSystem(
      await ask('pods', '--all-namespaces', '--output', `jsonpath=${pods}`),
      since,
    )
  })
}

/** The first of the cluster's own services without a ready pod, from lines of "namespace/name ready startedAt". */
export function findMissingSystem(lines: string, since: Date): string | undefined {
  const pods = lines.split('\n').map((line) => line.split(' '))
  const runs = (prefix: string): boolean =>
    pods.some(
      ([name = '', ready, startedAt = '']) =>
        name.startsWith(prefix) && ready === 'true' && new Date(startedAt) >= since,
    )
  const missing = SYSTEM.find((prefix) => !runs(prefix))
  return missing === undefined ? undefined : `a ready ${missing}`
}

async function waitUntilNothingIsMissing(
  seconds: number,
  find: () => Promise<string | undefined>,
): Promise<void> {
  let missing: string | undefined = 'the API server'
  const look = async (): Promise<true | undefined> => {
    missing = await find()
    return missing === undefined ? true : undefined
  }
  await waitFor({ what: 'the cluster', seconds, everySeconds: 1 }, look).catch(() => {
    throw new LabError(
      `The cluster was not ready within ${seconds} seconds: ${missing ?? ''} is missing.`,
    )
  })
}

/** What the node says about containers of a namespace that wait: a missing image, a program that ends at once. */
export async function findWaiting(ask: Ask, namespace: string): Promise<string> {
  const waiting = '{.state.waiting.reason} {.state.waiting.message}'
  const path = `{range .items[*].status.containerStatuses[*]}{.name}: ${waiting}{"\\n"}{end}`
  const lines = await ask('pods', '--namespace', namespace, '--output', `jsonpath=${path}`)
  const reasons = lines.split('\n').filter((line) => !/: *$/.test(line))
  return reasons.join('; ') || 'its container runs, but is not ready'
}
