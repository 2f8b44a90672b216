/** The session is the backend's token in a cookie that no script of the page can read. */
export const SESSION_COOKIE = 'todo_session'

/** As long as the backend's token lives. */
const LIFE_SECONDS = 12 * 60 * 60

/** Returns the token that came with the request, if one did. */
export function readToken(request: Request): string | undefined {
  for (const pair of (request.headers.get('cookie') ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2)
    if (name === SESSION_COOKIE && value) return value
  }
  return undefined
}

export function makeSessionCookie(token: string, request: Request): string {
  return describeCookie(token, LIFE_SECONDS, request)
}

export function endSessionCookie(request: Request): string {
  return describeCookie('', 0, request)
}

function describeCookie(value: string, seconds: number, request: Request): string {
  const parts = [`${SESSION_COOKIE}=${value}`, 'Path=/', 'HttpOnly', 'SameSite=Lax']
  parts.push(`Max-Age=${String(seconds)}`)
  // A browser drops a Secure cookie over plain HTTP, which is how the application runs on a laptop.
  if (isSecure(request)) parts.push('Secure')
  return parts.join('; ')
}

function isSecure(request: Request): boolean {
  const forwarded = request.headers.get('x-forwarded-proto')
  return (forwarded ?? new URL(request.url).protocol.slice(0, -1)).split(',')[0] === 'https'
}

/** Returns the e-mail of the token, to show it; only the backend checks whether the token is good. */
export function readEmail(token: string): string | undefined {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
    const claims: unknown = JSON.parse(payload)
    if (typeof claims !== 'object' || claims === null || !('email' in claims)) return undefined
    return typeof claims.email === 'string' ? claims.email : undefined
  } catch {
    // A cookie that is no token is the same as none.
    return undefined
  }
}

/** Returns whether the request comes from our own pages, or from something that is no browser. */
export function isFromOurPages(request: Request): boolean {
  const origin = request.headers.get('origin')
  if (origin === null) return true
  const host = request.headers.get('x-forwarded-host') ?? request.headers.get('host')
  return URL.canParse(origin) && new URL(origin).host === host
}
