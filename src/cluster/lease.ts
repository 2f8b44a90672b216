import { UserError } from '../errors.ts'
import { at, canonicalJson, numberAt, textAt } from '../json.ts'
import type { Clock } from '../world.ts'
import { type Cluster, reasonOf } from './cluster.ts'

/** One writer at a time in a namespace. A holder that was killed is forgotten after the TTL. */
export type HeldLease = {
  /** Aborted as soon as it is known that another has taken it: then nothing may be written any more. */
  readonly lost: AbortSignal
  /** Resolves while the lease is held, having renewed it where that was not done for a while. Throws where another has taken it. */
  readonly confirm: () => Promise<void>
  readonly release: () => Promise<void>
}

export type LeaseRequest = {
  readonly namespace: string
  readonly name: string
  /** Who takes it: unique for each run. */
  readonly holder: string
}

export type LeaseManner = {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly say: (line: string) => void
  /** Whether a holder that lives is waited for, and how long; `refuse` ends as soon as it is seen to live. */
  readonly whenHeld?: 'wait' | 'refuse'
  readonly patienceSeconds?: number
}

/** A holder is believed dead when it was not seen to renew for so long. */
const TTL_S = 15
const RENEW_MS = 4_000
const ASK_AGAIN_MS = 1_000
/** Between two looks there are a pause and a call; more is an outage. */
const DOUBT_MS = 5_000
/** Without any other word: longer than the TTL, so that a killed run never blocks the next one. */
const PATIENCE_S = 45

/**
 * Takes the Lease `name` (coordination.k8s.io/v1) and renews it until `release`. Times in it are of other machines' clocks, so they are
 * never compared with ours: a holder is dead when its lease has not changed for a TTL while we were looking.
 */
export async function holdLease(
  lease: LeaseRequest,
  cluster: Cluster,
  how: LeaseManner,
): Promise<HeldLease> {
  const taken = await takeLease(lease, cluster, how)
  return keepLease({ lease, ...taken }, cluster, how)
}

type Taken = { readonly live: unknown }

async function takeLease(
  lease: LeaseRequest,
  cluster: Cluster,
  { clock, signal, say, whenHeld = 'wait', patienceSeconds = PATIENCE_S }: LeaseManner,
): Promise<Taken> {
  const started = clock.now().getTime()
  const seen = { record: '', holder: '', since: started, looked: started, renewals: 0 }
  let isSaid = false
  for (;;) {
    const live = await readLease(lease, cluster)
    const holder = textAt(live, 'spec', 'holderIdentity') ?? ''
    const now = clock.now().getTime()
    // We could not look for a while, as when the server was away: then its holder could not renew either.
    if (now - seen.looked > DOUBT_MS) seen.since = now
    seen.looked = now
    const record = canonicalJson(at(live, 'spec') ?? '')
    if (record !== seen.record) {
      seen.renewals += holder === seen.holder ? 1 : 0
      Object.assign(seen, { record, holder, since: now })
    }
    const ttl = (numberAt(live, 'spec', 'leaseDurationSeconds') ?? TTL_S) * 1000
    const isDead = now - seen.since > ttl
    if (holder === '' || holder === lease.holder || isDead) {
      if (isDead && holder !== lease.holder && holder !== '')
        say(`${holder} has not been heard of for ${Math.round(ttl / 1000)} s: taking over`)
      const written = await writeLease({ lease, live, now: clock.now() }, cluster)
      if (written !== undefined) return { live: written }
    }
    const isOver = now - started > patienceSeconds * 1000
    if (isOver || (whenHeld === 'refuse' && seen.renewals > 0))
      throw new UserError(
        `${holder || 'Another run'} is deploying to ${lease.namespace}; wait for it and run again`,
        [],
        { code: 'deploy-under-way' },
      )
    if (!isSaid && holder !== '' && !isDead) say(`Waiting for ${holder}, who deploys here now`)
    isSaid = true
    await clock.sleep(ASK_AGAIN_MS, signal)
  }
}

function keepLease(
  held: Taken & { readonly lease: LeaseRequest },
  cluster: Cluster,
  { clock }: LeaseManner,
): HeldLease {
  const { lease } = held
  const lost = new AbortController()
  const since = { renewed: clock.now().getTime() }
  let running: Promise<void> | undefined
  const renew = async () => {
    const live = await readLease(lease, cluster)
    const holder = textAt(live, 'spec', 'holderIdentity')
    if (holder !== undefined && holder !== lease.holder) {
      lost.abort(lostTo(holder, lease))
      return
    }
    // Gone: somebody has deleted it by hand. Taking it again is as good.
    if ((await writeLease({ lease, live, now: clock.now() }, cluster)) !== undefined)
      since.renewed = clock.now().getTime()
  }
  const renewOnce = () =>
    (running ??= renew().finally(() => {
      running = undefined
    }))
  const timer = setInterval(() => {
    // A renewal that fails is tried again before the TTL ends; `confirm` makes sure before anything is written.
    renewOnce().catch(() => undefined)
  }, RENEW_MS)
  timer.unref() // What is deployed keeps the process, not this.
  return {
    lost: lost.signal,
    confirm: async () => {
      lost.signal.throwIfAborted()
      if (clock.now().getTime() - since.renewed < TTL_S * 500) return
      await renewOnce()
      lost.signal.throwIfAborted()
    },
    release: async () => {
      clearInterval(timer)
      await running?.catch(() => undefined)
      await letGo(lease, cluster)
    },
  }
}

function lostTo(holder: string, { namespace }: LeaseRequest): UserError {
  return new UserError(
    `${holder} has taken over ${namespace}, since this run was not heard of for ${TTL_S} s; it goes on from here`,
    [],
    { code: 'lease-lost' },
  )
}

/** Said also by a run that is cancelled: so the next one need not wait for the TTL. */
async function letGo(lease: LeaseRequest, cluster: Cluster): Promise<void> {
  const path = pathOf(lease)
  // A cluster that is away by now must not hide how the deploy ended; the TTL frees the lease.
  const live = await cluster
    .call({ method: 'GET', path, isLast: true })
    .then(({ body }) => body)
    .catch(() => undefined)
  if (textAt(live, 'spec', 'holderIdentity') !== lease.holder) return
  const preconditions = { uid: textAt(live, 'metadata', 'uid') }
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions }
  await cluster.call({ method: 'DELETE', path, body, isLast: true }).catch(() => undefined)
}

function folderOf({ namespace }: LeaseRequest): string {
  return `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`
}

function pathOf(lease: LeaseRequest): string {
  return `${folderOf(lease)}/${lease.name}`
}

async function readLease(lease: LeaseRequest, cluster: Cluster): Promise<unknown> {
  const answer = await cluster.call({ method: 'GET', path: pathOf(lease) })
  if (answer.status === 200) return answer.body
  if (answer.status === 404) return undefined
  throw new UserError(`The lease ${lease.name} can't be read: ${reasonOf(answer)}`)
}

/** Creates or replaces the lease as it was read; undefined where somebody was faster. */
async function writeLease(
  write: { readonly lease: LeaseRequest; readonly live: unknown; readonly now: Date },
  cluster: Cluster,
): Promise<unknown> {
  const { lease, live, now } = write
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
      ? await cluster.call({ method: 'POST', path: folderOf(lease), body })
      : await cluster.call({ method: 'PUT', path: pathOf(lease), body })
  if (answer.status < 300) return answer.body
  // 404: it was released between our look and our writing.
  if (answer.status === 409 || answer.status === 404) return undefined
  throw new UserError(`The lease ${lease.name} can't be taken: ${reasonOf(answer)}`)
}
