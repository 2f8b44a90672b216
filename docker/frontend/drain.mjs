// Lets the server of Next.js end without losing a request that it has been sent; loaded before it by
// `node --import`. Node closes every connection that waits for its next request as soon as a server
// closes: a caller that uses such a connection again in that moment gets no answer. And busy connections
// are kept for ever, so that the end never comes. Here each connection gets the time to bring one more
// request, whose answer says `Connection: close`; what brings none is closed after LINGER_MS.
import http from 'node:http'
import { Server as Listener } from 'node:net'

/** Callers give up connections of their own that were idle for about this long. */
const LINGER_MS = 5_000
/** How Next.js says that it was asked to end, and did. */
const ENDED_AS_ASKED = [130, 143]

const createServer = http.createServer
http.createServer = (...given) => drainOnClose(createServer(...given))

function drainOnClose(server) {
  const idle = new Set()
  const answering = new Set()
  let isClosing = false
  server.on('connection', (socket) => {
    idle.add(socket)
    socket.once('close', () => idle.delete(socket))
  })
  server.prependListener('request', ({ socket }, response) => {
    idle.delete(socket)
    answering.add(response)
    if (isClosing) response.setHeader('connection', 'close')
    response.once('close', () => {
      answering.delete(response)
      if (!socket.destroyed) idle.add(socket)
    })
  })
  server.close = (done) => {
    isClosing = true
    for (const response of answering)
      if (!response.headersSent) response.setHeader('connection', 'close')
    setTimeout(() => {
      for (const socket of idle) socket.destroy()
    }, LINGER_MS).unref()
    // Past http.Server's own close(), which is what closes connections too early.
    return Listener.prototype.close.call(server, done)
  }
  process.once('exit', (status) => {
    if (isClosing && ENDED_AS_ASKED.includes(status)) process.exitCode = 0
  })
  return server
}
