import { askBackend, refuse } from './backend.ts'
import { endSessionCookie, isFromOurPages, readToken } from './session.ts'

/** What a task, a chat message or a password needs fits many times over. */
const LARGEST_BODY = 64 * 1024

const SAFE_METHODS = ['GET', 'HEAD']

/**
 * Sends a request of the browser on to the backend, with the token out of its cookie, and returns
 * the answer. Nothing else of the request goes along: no other header, no other cookie.
 */
export async function passThrough(request: Request, path: readonly string[]): Promise<Response> {
  if (!isFromOurPages(request)) return refuse(403, 'This request comes from another site.')
  const token = readToken(request)
  if (token === undefined) return refuse(401, 'Sign in first.')
  if (path.some((segment) => segment === '.' || segment === '..')) return refuse(404, 'Not found.')

  const body = await readBody(request)
  if (body === 'too large') return refuse(413, 'The request is too large.')
  const answer = await askBackend(makePath(request, path), {
    method: request.method,
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json',
      ...(body && { 'content-type': request.headers.get('content-type') ?? 'application/json' }),
    },
    ...(body && { body }),
    signal: request.signal,
  })
  return makeAnswer(answer, request)
}

function makePath(request: Request, path: readonly string[]): string {
  return `/api/${path.map(encodeURIComponent).join('/')}${new URL(request.url).search}`
}

/** Returns the body of a request, bounded; undefined when it has none. */
export async function readBody(
  request: Request,
): Promise<Uint8Array<ArrayBuffer> | undefined | 'too large'> {
  if (SAFE_METHODS.includes(request.method) || request.body === null) return undefined
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body) {
    length += chunk.length
    if (length > LARGEST_BODY) return 'too large'
    chunks.push(chunk)
  }
  return length === 0 ? undefined : new Uint8Array(Buffer.concat(chunks))
}

function makeAnswer(answer: Response, request: Request): Response {
  const headers = new Headers({ 'cache-control': 'no-store' })
  for (const name of ['content-type', 'retry-after']) {
    const value = answer.headers.get(name)
    if (value !== null) headers.set(name, value)
  }
  // The backend does not take the token any more: the next page the browser loads is the sign-in.
  if (answer.status === 401) headers.set('set-cookie', endSessionCookie(request))
  return new Response(answer.body, { status: answer.status, headers })
}
