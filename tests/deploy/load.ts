import { Agent, request } from 'node:http'

/**
 * Runs in a pod: so many requests a second, whatever becomes of those before (`node load.ts '<plan as JSON>'`). Half of them open a
 * connection of their own; the others share connections that live for a few seconds, as behind a proxy that limits their age. A request
 * is lost when there is no good answer to it; nothing is tried twice. The first is sent when the Service has answered once. Each second
 * it prints a line, and on SIGTERM or at its end the sum.
 */
type Plan = {
  readonly url: string
  /** The name it is asked by, where that leads elsewhere. */
  readonly host?: string
  readonly perSecond: number
  readonly seconds: number
  /** Share of requests for `/slow`. */
  readonly slow: number
}
type Second = { second: number; sent: number; answered: number; versions: Record<string, number> }

/** Shorter than the least time that a pod goes on serving after it has left the Service, slow request included. */
const CONNECTION_LIFE_MS = 3_000
const PATIENCE_MS = 20_000
const OPENING_MS = 30_000
const TICK_MS = 10
const MOST_OPEN = 500

const plan = JSON.parse(process.argv[2] ?? '{}') as Plan
const lost: Record<string, number> = {}
const latencies: number[] = []
const total = { sent: 0, answered: 0, open: 0, skipped: 0, versions: {} as Record<string, number> }
let now: Second = { second: 0, sent: 0, answered: 0, versions: {} }
const fresh = new Agent({ keepAlive: false })
let lasting = newLasting()

function newLasting(): Agent {
  return new Agent({ keepAlive: true, maxFreeSockets: 32, scheduling: 'fifo' })
}

function lose(why: string): void {
  const when = new Date().toISOString().slice(11, 19)
  lost[why] = (lost[why] ?? 0) + 1
  process.stdout.write(`${JSON.stringify({ lost: why, at: when })}\n`)
}

function send(index: number): void {
  const isSlow = Math.random() < plan.slow
  const isLasting = index % 2 === 0
  const began = performance.now()
  const kind = `${isSlow ? 'slow' : 'fast'} on a ${isLasting ? 'lasting' : 'fresh'} connection`
  total.sent += 1
  total.open += 1
  now.sent += 1
  const end = (why?: string) => {
    total.open -= 1
    if (why !== undefined) {
      lose(`${kind}: ${why}`)
      return
    }
    total.answered += 1
    now.answered += 1
    if (!isSlow && total.answered % 10 === 0) latencies.push(performance.now() - began)
  }
  const url = new URL(isSlow ? '/slow' : '/fast', plan.url)
  const headers = plan.host === undefined ? {} : { host: plan.host }
  const sent = request(url, { agent: isLasting ? lasting : fresh, headers })
  sent.setTimeout(PATIENCE_MS, () => sent.destroy(new Error('no answer in time')))
  sent.once('error', (error) => {
    end(error.message)
  })
  sent.once('response', (response) => {
    const version = String(response.headers['x-version'] ?? '')
    now.versions[version] = (now.versions[version] ?? 0) + 1
    total.versions[version] = (total.versions[version] ?? 0) + 1
    response.once('end', () => {
      end(response.statusCode === 200 ? undefined : `status ${response.statusCode ?? 0}`)
    })
    response.resume()
  })
  sent.end()
}

/** A Service that was just made is refused until the node knows its way: nobody is a customer of it before. */
async function isOpen(): Promise<boolean> {
  return await new Promise((resolve) => {
    const headers = plan.host === undefined ? {} : { host: plan.host }
    const first = request(new URL('/fast', plan.url), { agent: fresh, headers }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    first.setTimeout(OPENING_MS, () => first.destroy())
    first.once('error', () => {
      resolve(false)
    })
    first.end()
  })
}
for (const end = performance.now() + OPENING_MS; performance.now() < end && !(await isOpen());)
  await new Promise((resolve) => setTimeout(resolve, TICK_MS))

let offered = 0
const began = performance.now()
const ticker = setInterval(() => {
  const due = Math.floor(((performance.now() - began) / 1000) * plan.perSecond)
  for (; offered < due; offered += 1)
    // A machine that can't carry the load says nothing about who loses requests.
    if (total.open < MOST_OPEN) send(offered)
    else total.skipped += 1
  if (performance.now() - began > plan.seconds * 1000) stop()
}, TICK_MS)
const renewer = setInterval(() => {
  // What is under way on the old ones ends there; idle, they go unused until the server closes them.
  lasting = newLasting()
}, CONNECTION_LIFE_MS)
const teller = setInterval(() => {
  process.stdout.write(`${JSON.stringify(now)}\n`)
  now = { second: now.second + 1, sent: 0, answered: 0, versions: {} }
}, 1000)

function stop(): void {
  clearInterval(ticker)
  clearInterval(renewer)
  clearInterval(teller)
  const deadline = performance.now() + PATIENCE_MS
  const wait = setInterval(() => {
    if (total.open > 0 && performance.now() < deadline) return
    clearInterval(wait)
    latencies.sort((a, b) => a - b)
    const p95 = latencies[Math.floor(latencies.length * 0.95)] ?? 0
    const { sent, answered, skipped, versions } = total
    const sum = { sum: true, sent, answered, skipped, versions, lost, p95: Math.round(p95) }
    process.stdout.write(`${JSON.stringify(sum)}\n`, () => process.exit(0))
  }, 50)
}
process.once('SIGTERM', stop)
