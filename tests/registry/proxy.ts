import { connect, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

/** A line between client and registry that counts, and breaks where a test wants. */
export type Proxy = {
  readonly registry: string
  /** Bytes so far, to the registry and back. */
  readonly counted: { up: number; down: number }
  /** Breaks the connection that brings the count to this; each number once. */
  readonly cuts: { up: number[]; down: number[] }
  readonly stop: () => Promise<void>
}

export async function openProxy(registry: string): Promise<Proxy> {
  const [host = '', port = ''] = registry.split(':')
  const counted = { up: 0, down: 0 }
  const cuts = { up: [] as number[], down: [] as number[] }
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const there = connect(Number(port), host)
    const ends = [client, there]
    const cut = () => {
      for (const end of ends) end.resetAndDestroy()
    }
    const carry = (from: Socket, to: Socket, way: 'up' | 'down') => {
      open.add(from)
      from.on('close', () => open.delete(from))
      from.on('error', cut)
      from.on('end', () => to.end())
      from.on('data', (chunk: Buffer) => {
        counted[way] += chunk.length
        const [next] = cuts[way]
        if (next !== undefined && counted[way] >= next) {
          cuts[way].shift()
          cut()
          return
        }
        if (!to.write(chunk)) {
          from.pause()
          to.once('drain', () => from.resume())
        }
      })
    }
    carry(client, there, 'up')
    carry(there, client, 'down')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    registry: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    counted,
    cuts,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        for (const socket of open) socket.destroy()
      }),
  }
}
