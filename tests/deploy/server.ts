import { createServer } from 'node:http'

/**
 * Runs in the pods of the tests: a server of three kinds, by what it does at SIGTERM. `/fast` takes 5 ms and `/slow` 2 s; both say
 * which version has answered. FAILS (0 to 1) is the share of errors on `/probe`, which only the
 * analysis of a canary asks, and ERRORS that on everything else; CRASHES_AFTER (ms) ends it. `/metrics` is for Prometheus.
 */
const { KIND = 'finishes', VERSION = '', HOSTNAME: POD = '' } = process.env
const { FAILS = '0', ERRORS = '0', CRASHES_AFTER = '0' } = process.env
const PORT = 8080
const TIMES: Readonly<Record<string, number>> = {
  '/fast': 5,
  '/slow': 2_000,
  '/health': 0,
  '/probe': 1,
}

const BUCKETS = [0.005, 0.05, 0.5, 5]
const codes: Record<string, number> = {}
const counts = BUCKETS.map(() => 0)

function count(code: number, seconds: number): void {
  codes[code] = (codes[code] ?? 0) + 1
  BUCKETS.forEach((bucket, index) => {
    if (seconds <= bucket) counts[index] = (counts[index] ?? 0) + 1
  })
}

function metrics(): string {
  const total = Object.values(codes).reduce((sum, one) => sum + one, 0)
  return [
    ...Object.entries(codes).map(
      ([code, number]) => `http_requests_total{pod="${POD}",code="${code}"} ${number}`,
    ),
    ...[...BUCKETS, '+Inf'].map(
      (le, index) =>
        `http_request_duration_seconds_bucket{pod="${POD}",le="${le}"} ${counts[index] ?? total}`,
    ),
    '',
  ].join('\n')
}

function statusOf(path: string): number {
  if (!(path in TIMES)) return 404
  const share = path === '/probe' ? FAILS : path === '/health' ? '0' : ERRORS
  return Math.random() < Number(share) ? 500 : 200
}

const state = { isEnding: false, crashes: Number(CRASHES_AFTER) }
const server = createServer((request, response) => {
  const path = request.url ?? ''
  if (path === '/metrics') {
    response.setHeader('content-type', 'text/plain; version=0.0.4').end(metrics())
    return
  }
  const began = performance.now()
  setTimeout(() => {
    if (state.isEnding) response.setHeader('connection', 'close')
    const status = statusOf(path)
    response.writeHead(status, { 'x-version': VERSION }).end('ok\n')
    if (path === '/fast' || path === '/slow') count(status, (performance.now() - began) / 1000)
  }, TIMES[path] ?? 0)
})
server.listen(PORT)

if (state.crashes > 0) setTimeout(() => process.exit(7), state.crashes)
process.on('SIGTERM', () => {
  // The first process of a container has no default action for a signal: who has no handler ignores it.
  if (KIND === 'dies') process.exit(1)
  if (KIND === 'ignores') return
  state.isEnding = true
  server.close(() => process.exit(0))
})
