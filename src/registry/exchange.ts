import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  request as askPlain,
} from 'node:http'
import { request as askSecure } from 'node:https'
import type { Pieces } from './digest.ts'
import { explainBreak } from './explain.ts'
import { type Limits, newPace, type Pace, TooSlow } from './pace.ts'

/** One HTTP request. What it says is decided by others; nothing here knows registries, logins or retries. */
export type Request = {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Body
  readonly agent: Agent
  readonly limits: Limits
  /** Who is asked, as the first words of a failure: `The registry ghcr.io`. */
  readonly who: string
}

export type Body = {
  readonly size: number
  /** Called once for each request that carries it. */
  readonly open: () => Pieces
}

export type Reply = {
  readonly url: URL
  readonly status: number
  readonly header: (name: string) => string | undefined
  readonly headers: (name: string) => readonly string[]
  /** As it was sent: nothing is decompressed. Throws `RegistryError` where it breaks off or comes too slowly. */
  readonly body: AsyncIterable<Uint8Array>
  /** Must be called once, when nothing more of the body is wanted. */
  readonly leave: () => Promise<void>
}

/** A short rest of a body is read away, so that its connection can be used again. */
const REST_BYTES = 64 * 1024
const REST_MS = 1000

/**
 * Sends a request and returns as soon as the answer begins; an early one ends the sending. Node's own client and not `fetch`,
 * which would decompress what is hashed here, and which tells neither slow from dead nor lets a body be sent without care.
 */
export async function exchange(request: Request, signal: AbortSignal): Promise<Reply> {
  signal.throwIfAborted()
  const outgoing = start(request, signal)
  const explained = (error: unknown): unknown => {
    signal.throwIfAborted()
    return explainBreak(error, request.who)
  }
  const answer = answerTo(outgoing)
  answer.catch(() => undefined) // It is awaited below, when the body is sent.
  let timer: NodeJS.Timeout | undefined
  try {
    await sendBody(outgoing, request)
    timer = setTimeout(() => {
      outgoing.destroy(new TooSlow(`no answer in ${request.limits.answerMs} ms`))
    }, request.limits.answerMs)
    const incoming = await answer.catch((error: unknown) => {
      throw explained(error)
    })
    return replyOf({ incoming, outgoing }, request, explained)
  } catch (error) {
    outgoing.destroy()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

function start({ method, url, headers, body, agent }: Request, signal: AbortSignal): ClientRequest {
  const ask = url.protocol === 'https:' ? askSecure : askPlain
  const size = body === undefined ? {} : { 'content-length': String(body.size) }
  const always = { 'user-agent': 'todo-deploy', 'accept-encoding': 'identity' }
  return ask(url, { method, agent, signal, headers: { ...always, ...headers, ...size } })
}

function answerTo(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.on('response', resolve)
    outgoing.on('error', reject)
    outgoing.on('close', () => {
      reject(new Error('the connection was closed before an answer'))
    })
  })
}

/** Sends the body piece by piece, as fast as the other side takes it. Returns early when it answers, or is gone. */
async function sendBody(outgoing: ClientRequest, { body, limits }: Request): Promise<void> {
  if (body !== undefined && body.size > 0) {
    const pace = newPace(limits, (why) => outgoing.destroy(why))
    const over = { early: false }
    outgoing.once('response', () => {
      over.early = true
    })
    const content = body.open()
    // A slow source must not keep the login waiting: it may be too old when it arrives.
    if (!(content instanceof Uint8Array)) outgoing.flushHeaders()
    for await (const piece of content instanceof Uint8Array ? [content] : content) {
      if (over.early || outgoing.destroyed) return
      if (!outgoing.write(piece)) await pace.wait(drained(outgoing))
      pace.moved(piece.byteLength)
    }
    if (over.early || outgoing.destroyed) return
  }
  outgoing.end()
}

function drained(outgoing: ClientRequest): Promise<void> {
  const events = ['drain', 'response', 'close'] as const
  return new Promise((resolve) => {
    const done = () => {
      for (const event of events) outgoing.off(event, done)
      resolve()
    }
    for (const event of events) outgoing.on(event, done)
    if (outgoing.destroyed) done()
  })
}

type Both = { readonly incoming: IncomingMessage; readonly outgoing: ClientRequest }

function replyOf(
  { incoming, outgoing }: Both,
  { url, limits, method }: Request,
  explained: (error: unknown) => unknown,
): Reply {
  const headers = (name: string) => incoming.headersDistinct[name] ?? []
  const pace = newPace(limits, (why) => incoming.destroy(why))
  incoming.on('error', () => undefined) // Who reads is told; who does not read any more need not know.
  return {
    url,
    status: incoming.statusCode ?? 0,
    headers,
    header: (name) => headers(name)[0],
    body: pacedBody(incoming, pace, explained),
    leave: async () => {
      const rest = method === 'HEAD' ? 0 : Number(headers('content-length')[0] ?? '0')
      if (outgoing.writableEnded && rest <= REST_BYTES) await readAway(incoming)
      outgoing.destroy()
    },
  }
}

async function* pacedBody(
  incoming: IncomingMessage,
  pace: Pace,
  explained: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = incoming[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  for (;;) {
    const next = await pace.wait(pieces.next()).catch((error: unknown) => {
      throw explained(error)
    })
    if (next.done === true) return
    pace.moved(next.value.byteLength)
    yield next.value
  }
}

function readAway(incoming: IncomingMessage): Promise<void> {
  if (incoming.readableEnded || incoming.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(done, REST_MS)
    incoming.once('end', done)
    incoming.once('close', done)
    incoming.resume()
  })
}
