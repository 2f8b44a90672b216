import { createServer } from 'node:http'

/**
 * Runs in the pods of the tests: a server of three kinds, by what it does at SIGTERM. `/fast` takes 5 ms and `/slow` 2 s; both say
 * which version has answered. FAILS (0 to 1) is the share of errors on `/probe`, which only the
 * analysis of a canary asks; CRASHES_AFTER (ms) ends it.
 */
const { KIND = 'finishes', VERSION = '', FAILS = '0', CRASHES_AFTER = '0' } = process.env
const PORT = 8080
const TIMES: Readonly<Record<string, number>> = {
  '/fast': 5,
  '/slow': 2_000,
  '/health': 0,
  '/probe': 1,
}

const state = { isEnding: false, crashes: Number(CRASHES_AFTER) }
const server = createServer((request, response) => {
  const path = request.url ?? ''
  setTimeout(() => {
    if (state.isEnding) response.setHeader('connection', 'close')
    const isFailing = path === '/probe' && Math.random() < Number(FAILS)
    const isKnown = path in TIMES
    response.writeHead(isFailing ? 500 : isKnown ? 200 : 404, { 'x-version': VERSION }).end('ok\n')
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
