import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A proxy before a registry that lets only so many writes through. */
export type Gate = {
  readonly registry: string
  /** What wrote so far, as `PUT /v2/…`. */
  readonly writes: readonly string[]
  readonly stop: () => Promise<void>
}

export type Ending = 'forbids' | 'cuts'

/** After `allowed` writes it forbids the next ones, or cuts every connection, reads too, as a registry does that goes down. */
export async function openGate(registry: string, allowed: number, ending: Ending): Promise<Gate> {
  const [host = '', port = ''] = registry.split(':')
  const writes: string[] = []
  let isOver = false
  const pass = (client: IncomingMessage, answer: ServerResponse) => {
    const { method, url: path, headers } = client
    const there = request({ host, port, method, path, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(answer)
    })
    there.on('error', () => answer.destroy())
    client.pipe(there)
  }
  const server = createServer((client, answer) => {
    const { method = '', url = '' } = client
    const isWrite = method !== 'GET' && method !== 'HEAD'
    if (isWrite && writes.length >= allowed) isOver = true
    if (isOver && ending === 'cuts') {
      client.socket.destroy()
    } else if (isOver && isWrite) {
      client.resume()
      answer.writeHead(403).end()
    } else {
      if (isWrite) writes.push(`${method} ${url.replace(/\?.*/, '')}`)
      pass(client, answer)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    registry: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    writes,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}
