import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What becomes of a request: passed on, answered with a status, or never answered. */
export type Fate = 'pass' | 'hang' | number

/** The lab's registry behind somebody who lets requests down. */
export type Unreliable = {
  /** `127.0.0.1:port`. */
  readonly registry: string
  /** Decides about each request from now on. */
  decide: (fate: (method: string, path: string) => Fate) => void
  stop: () => Promise<void>
}

export async function openUnreliable(registry: string): Promise<Unreliable> {
  const [hostname = '', port = ''] = registry.split(':')
  let fateOf: (method: string, path: string) => Fate = () => 'pass'
  const pass = (from: IncomingMessage, to: ServerResponse) => {
    const { method, url: path, headers } = from
    const there = request({ hostname, port, method, path, headers, agent: false }, (reply) => {
      to.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(to)
    })
    there.on('error', () => to.destroy())
    to.on('close', () => there.destroy())
    from.pipe(there)
  }
  const server = createServer((from, to) => {
    const fate = fateOf(from.method ?? '', from.url ?? '')
    if (fate === 'pass') {
      pass(from, to)
      return
    }
    from.resume()
    if (fate !== 'hang') to.writeHead(fate).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    registry: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    decide: (fate) => {
      fateOf = fate
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}
