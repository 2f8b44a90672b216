import { askBackend, refuse } from './backend.ts'
import { readBody } from './pass-through.ts'
import { endSessionCookie, isFromOurPages, makeSessionCookie } from './session.ts'

/** Signs up, in or out. The token of the backend goes into the cookie and nowhere else. */
export async function changeSession(request: Request, action: string): Promise<Response> {
  if (!isFromOurPages(request)) return refuse(403, 'This request comes from another site.')
  if (action === 'sign-out') {
    const headers = { 'set-cookie': endSessionCookie(request) }
    return Response.json({ status: 'signed out' }, { headers })
  }
  if (action !== 'sign-in' && action !== 'sign-up') return refuse(404, 'Not found.')

  const body = await readBody(request)
  if (body === 'too large') return refuse(413, 'The request is too large.')
  const answer = await askBackend(`/api/auth/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: body ?? '{}',
  })
  const content: unknown = await answer.json().catch(() => undefined)
  if (!answer.ok) {
    return Response.json(content ?? { detail: 'Try again.' }, { status: answer.status })
  }
  if (!isSession(content)) return refuse(502, 'The server gave an answer we do not understand.')
  const headers = {
    'set-cookie': makeSessionCookie(content.token, request),
    'cache-control': 'no-store',
  }
  return Response.json({ user: content.user }, { status: answer.status, headers })
}

interface Session {
  readonly token: string
  readonly user: unknown
}

function isSession(content: unknown): content is Session {
  if (typeof content !== 'object' || content === null) return false
  return 'token' in content && typeof content.token === 'string' && 'user' in content
}
