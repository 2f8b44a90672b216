import { UserError } from '../errors.ts'
import { numberAt, textAt } from '../json.ts'
import type { Clock } from '../world.ts'
import { type Cluster, reasonOf } from './cluster.ts'

/** One writer at a time in a namespace. A holder that was killed is forgotten after the TTL. */
export type HeldLease = { release: () => Promise<void> }

const TTL_S = 30
const RENEW_MS = 10_000
const ASK_AGAIN_MS = 2_000
/** Longer than the TTL: a killed run never blocks the next one. */
const PATIENCE_S = 45

/**
 * Takes the Lease `name` (coordination.k8s.io/v1) and renews it until `release`. Waits for another holder a moment longer than a
 * dead one is believed, then throws `UserError` that names the holder.
 */
export async function holdLease(
  lease: { readonly namespace: string; readonly name: string; readonly holder: string },
  cluster: Cluster,
  how: {
    readonly clock: Clock
    readonly signal: AbortSignal
    readonly say: (line: string) => void
  },
): Promise<HeldLease> {
  const folder = `/apis/coordination.k8s.io/v1/namespaces/${lease.namespace}/leases`
  const path = `${folder}/${lease.name}`
  const { clock, signal } = how
  const read = () => readLease(path, cluster)
  const write = (live: unknown) => writeLease({ lease, folder, live, now: clock.now() }, cluster)
  const started = clock.now().getTime()
  for (let said = false; ;) {
    const live = await read()
    const holder = currentHolder(live, clock)
    if ((holder === undefined || holder === lease.holder) && (await write(live))) break
    if (holder !== undefined && !said) how.say(`Waiting for ${holder}, who deploys here now`)
    said = true
    if (clock.now().getTime() - started > PATIENCE_S * 1000)
      throw new UserError(
        `${holder ?? 'Another run'} is deploying to ${lease.namespace}; wait for it and run again`,
      )
    await clock.sleep(ASK_AGAIN_MS, signal)
  }
  const timer = setInterval(() => {
    // A renewal that fails is tried again before the TTL ends; the holder's next write tells the rest.
    void read()
      .then(async (live) => (currentHolder(live, clock) === lease.holder ? write(live) : false))
      .catch(() => false)
  }, RENEW_MS)
  return {
    release: async () => {
      clearInterval(timer)
      // A cluster that is away by now must not hide how the deploy ended; the TTL frees the lease.
      const live = await read().catch(() => undefined)
      if (textAt(live, 'spec', 'holderIdentity') === lease.holder)
        await cluster.call({ method: 'DELETE', path }).catch(() => undefined)
    },
  }
}

async function readLease(path: string, cluster: Cluster): Promise<unknown> {
  const answer = await cluster.call({ method: 'GET', path })
  return answer.status === 200 ? answer.body : undefined
}

/** Creates or replaces the lease as it was read; false where somebody was faster. */
async function writeLease(
  write: {
    readonly lease: { readonly name: string; readonly holder: string }
    readonly folder: string
    readonly live: unknown
    readonly now: Date
  },
  cluster: Cluster,
): Promise<boolean> {
  const { lease, folder, live, now } = write
  const version = textAt(live, 'metadata', 'resourceVersion')
  const body = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: lease.name,
      labels: { 'app.kubernetes.io/managed-by': 'todo-deploy' },
      ...(version === undefined ? {} : { resourceVersion: version }),
    },
    spec: {
      holderIdentity: lease.holder,
      leaseDurationSeconds: TTL_S,
      renewTime: now.toISOString().replace('Z', '000Z'),
    },
  }
  const answer =
    live === undefined
      ? await cluster.call({ method: 'POST', path: folder, body })
      : await cluster.call({ method: 'PUT', path: `${folder}/${lease.name}`, body })
  if (answer.status < 300) return true
  if (answer.status === 409) return false
  throw new UserError(`The lease ${lease.name} can't be taken: ${reasonOf(answer)}`)
}

/** Who holds a live lease, or undefined where nobody does or the holder stopped renewing. */
function currentHolder(live: unknown, clock: Clock): string | undefined {
  const holder = textAt(live, 'spec', 'holderIdentity')
  const renewed = Date.parse(textAt(live, 'spec', 'renewTime') ?? '')
  const ttl = numberAt(live, 'spec', 'leaseDurationSeconds') ?? TTL_S
  const expired = clock.now().getTime() - renewed > ttl * 1000
  return holder === undefined || expired ? undefined : holder
}
