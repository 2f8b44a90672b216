// The session of the static export, run by nginx (njs): the token of the backend goes into a cookie that
// no script of the page can read, as with the server of Next.js. The e-mail goes into another, which the
// page reads to know who is signed in; only the backend checks whether the token is good.
const LIFE_SECONDS = 12 * 60 * 60

async function enter(r) {
  if (refuses(r)) return
  const answer = await r.subrequest(`/backend${r.uri}`, {
    method: 'POST',
    body: r.requestText || '{}',
  })
  if (answer.status === 502) {
    return say(r, 502, { detail: 'The server cannot be reached now; try again in a moment.' })
  }
  if (answer.status === 504) {
    return say(r, 504, { detail: 'The server took too long to answer; try again.' })
  }
  const content = parse(answer.responseText)
  if (answer.status >= 400) return say(r, answer.status, content || { detail: 'Try again.' })
  if (!content || typeof content.token !== 'string' || !content.user) {
    return say(r, 502, { detail: 'The server gave an answer we do not understand.' })
  }
  r.headersOut['Set-Cookie'] = describeCookies(r, content.token, content.user.email, LIFE_SECONDS)
  say(r, answer.status, { user: content.user })
}

function leave(r) {
  if (refuses(r)) return
  r.headersOut['Set-Cookie'] = describeCookies(r, '', '', 0)
  say(r, 200, { status: 'signed out' })
}

// The backend's health, not its readiness: without a database our pages still say what is wrong.
async function ready(r) {
  const answer = await r.subrequest('/probe')
  if (answer.status === 200) return say(r, 200, { status: 'ok', backend: 'ok' })
  say(r, 503, { status: 'unavailable', backend: 'unreachable' })
}

function refuses(r) {
  if (r.method !== 'POST') {
    say(r, 405, { detail: 'Method not allowed.' })
  } else if (r.variables.is_foreign === '1') {
    say(r, 403, { detail: 'This request comes from another site.' })
  } else {
    return false
  }
  return true
}

function describeCookies(r, token, email, seconds) {
  // A browser drops a Secure cookie over plain HTTP, which is how the application runs on a laptop.
  const scheme = r.headersIn['X-Forwarded-Proto'] || r.variables.scheme
  const end = `SameSite=Lax; Max-Age=${seconds}${scheme.split(',')[0] === 'https' ? '; Secure' : ''}`
  return [
    `todo_session=${token}; Path=/; HttpOnly; ${end}`,
    `todo_email=${encodeURIComponent(email)}; Path=/; ${end}`,
  ]
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch (error) {
    return undefined
  }
}

function say(r, status, content) {
  r.headersOut['Content-Type'] = 'application/json'
  r.headersOut['Cache-Control'] = 'no-store'
  r.return(status, JSON.stringify(content))
}

export default { enter, leave, ready }
