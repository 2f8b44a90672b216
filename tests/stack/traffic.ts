import { Agent, request } from 'node:http'

/**
 * Runs in a container beside the service: keeps it busy until it takes no connections any more, and prints what became of every
 * request. `node traffic.ts '<plan as JSON>'`
 */
type Plan = {
  readonly url: string
  readonly requests: readonly Kind[]
  /** Connections that are used again and again. */
  readonly lasting: number
  /** Connections that are used once, one after the other, in as many lines. */
  readonly fresh: number
  /** The end in any case. */
  readonly seconds: number
  /** Says `busy` on stderr when this many requests are answered. */
  readonly busyAfter?: number
}
type Kind = {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}
/** Refused: no connection came about, so the service never had the request. Lost: it had, and gave no good answer. */
type End = 'answered' | 'refused' | `lost: ${string}`

/** SIGTERM ends it before its time. */
const visit = { isOver: false }
process.once('SIGTERM', () => {
  visit.isOver = true
})

const PAUSE_MS = 10
const PATIENCE_MS = 40_000

async function send(plan: Plan, kind: Kind, agent: Agent): Promise<End> {
  return await new Promise((resolve) => {
    let isConnected = false
    const { method, headers, body } = kind
    const sent = request(new URL(kind.path, plan.url), { method, headers, agent })
    sent.setTimeout(PATIENCE_MS, () => sent.destroy(new Error('no answer in time')))
    sent.on('socket', (socket) => {
      isConnected = !socket.connecting
      socket.once('connect', () => (isConnected = true))
    })
    const fail = (error: Error) => {
      if (!isConnected) process.stderr.write(`refused: ${error.message}\n`)
      const how = sent.reusedSocket ? 'on a used connection' : 'on a new connection'
      resolve(isConnected ? `lost: ${error.message} ${how}` : 'refused')
    }
    sent.on('error', fail)
    sent.on('response', (response) => {
      response.on('error', fail)
      response.on('end', () => {
        const status = response.statusCode ?? 0
        resolve(status < 300 ? 'answered' : `lost: status ${status}`)
      })
      response.resume()
    })
    sent.end(body)
  })
}

async function line(plan: Plan, agent: Agent, ends: Map<End, number>): Promise<void> {
  const deadline = Date.now() + plan.seconds * 1000
  for (let count = 0; Date.now() < deadline && !visit.isOver; count += 1) {
    const kind = plan.requests[count % plan.requests.length]
    if (kind === undefined) return
    const end = await send(plan, kind, agent)
    ends.set(end, (ends.get(end) ?? 0) + 1)
    if (ends.get('answered') === plan.busyAfter && end === 'answered')
      process.stderr.write('busy\n')
    if (end === 'refused') return
    await new Promise((resolve) => setTimeout(resolve, Math.random() * PAUSE_MS))
  }
}

const plan = JSON.parse(process.argv[2] ?? '{}') as Plan
const ends = new Map<End, number>()
const lasting = Array.from(
  { length: plan.lasting },
  () => new Agent({ keepAlive: true, maxSockets: 1 }),
)
const fresh = Array.from({ length: plan.fresh }, () => new Agent({ keepAlive: false }))
await Promise.all([...lasting, ...fresh].map((agent) => line(plan, agent, ends)))
process.stdout.write(`${JSON.stringify(Object.fromEntries(ends))}\n`)
process.exit(0)
