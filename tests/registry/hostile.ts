import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a hostile registry was asked. */
export type Seen = {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
}

export type Hostile = {
  readonly registry: string
  readonly seen: readonly Seen[]
  readonly stop: () => Promise<void>
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

const opened: Hostile[] = []

/** A server that answers as the test says; requests are read to their end, whatever it answers. */
export async function openHostile(answer: Answer): Promise<Hostile> {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request
    seen.push({ method, path: url, authorization: headers.authorization })
    request.resume()
    response.on('error', () => undefined) // The client may leave at any time.
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const hostile = {
    registry: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
  opened.push(hostile)
  return hostile
}

export async function stopAll(): Promise<void> {
  for (const one of opened.splice(0)) await one.stop()
}

/** Sends pieces of 64 KiB for as long as somebody takes them; `taken` counts the bytes. */
export function sendForEver(response: ServerResponse, taken: { bytes: number }): void {
  const piece = Buffer.alloc(64 * 1024, ' ')
  const more = () => {
    while (!response.destroyed) {
      taken.bytes += piece.length
      if (!response.write(piece)) break
    }
  }
  response.on('drain', more)
  more()
}

/** One byte at a time, each long before anybody calls the line silent. */
export function sendDrops(response: ServerResponse, everyMs: number): void {
  const timer = setInterval(() => response.write(' '), everyMs)
  response.on('close', () => {
    clearInterval(timer)
  })
}

/** What an honest registry answers that has nothing yet, but for the last word about an upload. */
export function honest(request: IncomingMessage, response: ServerResponse): void {
  const { method = '', url = '' } = request
  if (method === 'POST') response.writeHead(202, { location: '/v2/todo/backend/upload/1' }).end()
  else if (method === 'PUT' && url.includes('/manifests/')) response.writeHead(201).end()
  else if (method === 'PUT') request.on('end', () => response.writeHead(201).end())
  else response.writeHead(404).end()
}

/** The manifests that somebody wanted to publish. */
export function manifestsIn(seen: readonly Seen[]): readonly Seen[] {
  return seen.filter(({ method, path }) => method === 'PUT' && path.includes('/manifests/'))
}
